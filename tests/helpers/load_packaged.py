"""Run in a fresh process, in a folder of its own: what an application that serves the model does.

Neither torch nor the project can be imported: the model has to bring what it needs.
Arguments: address of MLflow, table of images. Prints one JSON object.
"""

import importlib.util
import json
import sys
from pathlib import Path

sys.path = [entry for entry in sys.path if not (Path(entry) / "bukva").is_dir()]
sys.modules["torch"] = None  # any import of it fails
assert importlib.util.find_spec("bukva") is None

import mlflow  # noqa: E402
import pandas as pd  # noqa: E402

mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model("models:/bukva-glyph@prod")
images = pd.read_parquet(sys.argv[2])[["image"]]
answers = model.predict(images)
try:
    # `this` prints a poem when it is imported, and nothing else here imports it.
    answered = model.predict(images, params={"runner": "this.s", "top_k": 1})
    answered = answered.to_json(orient="records")
except Exception as error:
    answered = repr(error)

import bukva  # noqa: E402

sys.stdout.write(
    json.dumps(
        {
            "answers": answers.to_json(orient="records"),
            "answered_with_params": answered,
            "imported_by_params": "this" in sys.modules,
            "bukva": bukva.__file__,
            "inputs": model.metadata.get_input_schema().input_names(),
            "params": str(model.metadata.get_params_schema()),
            "has_kedro_project": Path("pyproject.toml").exists(),
        }
    )
)
