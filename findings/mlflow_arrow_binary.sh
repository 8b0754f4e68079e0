#!/usr/bin/env bash
# A pyfunc of MLflow whose signature says `binary` refuses a pandas column of Arrow's binary type.
#
# Expected: a column of bytes is a column of bytes: what pandas reads with dtype_backend="pyarrow" can be
#   given to a model as what it reads without.
# What happens: the enforcement of the signature compares numpy's kinds, and says that binary[pyarrow]
#   cannot be converted to |S0; the model is not asked. Text in Arrow's type passes.
# So: `table.astype({"image": object})` before `predict`.
# Versions: mlflow 3.17.2, pandas 3.1.1, pyarrow 25.0.1. Source: mlflow.pyfunc, signature enforcement.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet mlflow==3.17.2 pandas==3.1.1 pyarrow==25.0.1
cd "$folder"
"$folder/venv/bin/python" - 2>/dev/null <<'PYTHON'
import mlflow
import pandas as pd
import pyarrow as pa
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema


class Length(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return [len(content) for content in model_input["image"]]


signature = ModelSignature(Schema([ColSpec(DataType.binary, "image")]))
mlflow.pyfunc.save_model("model", python_model=Length(), signature=signature, pip_requirements=[])
model = mlflow.pyfunc.load_model("model")
table = pd.DataFrame({"image": [b"one"]})
print(f"mlflow {mlflow.__version__}, pandas {pd.__version__}: objects give {model.predict(table)}")
assert model.predict(table) == [3]
try:
    answer = model.predict(table.astype({"image": pd.ArrowDtype(pa.binary())}))
except MlflowException as error:
    print(str(error).splitlines()[-1])
else:
    raise SystemExit(f"this has changed: {answer}")
PYTHON
