"""bukva recognises handwriting, and makes the recognisers that do it."""

import os

__version__ = "0.1.0"

# Nothing is reported to the makers of what bukva stands on, unless whoever runs it sets these.
# Here, because ONNX Runtime and MLflow begin with it when they are imported.
for _name, _value in {
    "ORT_DISABLE_TELEMETRY": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "RAY_USAGE_STATS_ENABLED": "0",
    "DO_NOT_TRACK": "true",
}.items():
    os.environ.setdefault(_name, _value)
