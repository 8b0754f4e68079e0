"""Versions of the ink model in a registry."""

from pathlib import Path

import mlflow
from mlflow import MlflowClient
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, Schema

MODEL_CODE = Path(__file__).with_name("ink_model.py")
SOUND = {"delay_s": 0.0, "raises_at_width_px": 0, "hangs_at_width_px": 0, "confidence": None}


def register(name: str, experiment_id: str, **differences: object) -> None:
    """Register a version, different from a sound one in this, and give it the alias `prod`."""
    with mlflow.start_run(experiment_id=experiment_id):
        info = mlflow.pyfunc.log_model(
            name=name,
            python_model=MODEL_CODE,
            signature=ModelSignature(inputs=Schema([ColSpec("binary", "image")])),
            model_config=SOUND | differences,
            pip_requirements=["mlflow", "pillow"],
            registered_model_name=name,
        )
    MlflowClient().set_registered_model_alias(name, "prod", info.registered_model_version)
