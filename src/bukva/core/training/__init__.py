"""The training loop and its parts; knows no Kedro, no MLflow, no HTTP, no S3."""
