"""A real registry in a folder, and small real packaged models in it."""

from pathlib import Path

import mlflow
import pandas as pd
from mlflow.pyfunc import PythonModel


class Echo(PythonModel):
    """Packaged with a recogniser beside it, which is what the registry looks at."""

    def predict(self, context, model_input: pd.DataFrame, params=None) -> pd.DataFrame:
        return model_input


def log_model(folder: Path, name: str, recogniser: bytes) -> str:
    """Log a model as `packaging` does, and return its id."""
    path = folder / "recogniser.onnx"
    path.write_bytes(recogniser)
    with mlflow.start_run():
        info = mlflow.pyfunc.log_model(
            name=name,
            python_model=Echo(),
            artifacts={"recogniser": str(path)},
            pip_requirements=["mlflow"],
        )
    return info.model_id
