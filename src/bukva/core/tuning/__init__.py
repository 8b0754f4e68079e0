"""An Optuna study that workers share, and the search in it; knows no Kedro and no MLflow."""
