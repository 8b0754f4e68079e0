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

# A thread of OpenMP that waits for the others spins for milliseconds, and takes the core from the
# one it waits for where other programs work beside. A thousand turns are some 10 microseconds:
# enough where nobody is beside, then it sleeps. Here, because OpenMP reads it when torch loads it.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ["OMP_WAIT_POLICY"] = "passive"
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")  # GNU's: goes before the policy

# What Intel's primitives give depends, in its last bits, on where an array lies in memory: the same
# picture would not always be the same frame. OpenCV's own do not, and it warns of their use.
os.environ.setdefault("OPENCV_IPP", "disabled")
os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")
