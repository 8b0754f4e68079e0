"""What recognition of any kind is made of; knows no task, no Kedro, MLflow, HTTP or S3."""
