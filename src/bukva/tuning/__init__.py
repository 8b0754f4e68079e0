"""The Optuna study around a function that trains once; knows no Kedro and no MLflow."""
