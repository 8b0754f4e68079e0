"""What bukva stands on reports to its makers for nobody who has not asked for it."""

import os
import subprocess
import sys
from pathlib import Path

RELEASED = Path(__file__).parents[1] / "src" / "bukva_released"
OPEN_A_MODEL = f"""
import bukva, onnxruntime, pathlib
[path] = pathlib.Path({str(RELEASED)!r}).glob("*.onnx")
onnxruntime.InferenceSession(path)
"""
ASK_MLFLOW = """
import bukva, mlflow
from mlflow.telemetry import get_telemetry_client
print(get_telemetry_client())
"""


def printed_by(code: str, home: Path, **variables: str) -> str:
    """Return what a process prints that knows nothing of this machine but its programs."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": os.environ["PATH"], "HOME": str(home)} | variables,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


def test_onnx_runtime_keeps_no_identifier(tmp_path: Path) -> None:
    printed_by(OPEN_A_MODEL, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_mlflow_has_nobody_to_report_to(tmp_path: Path) -> None:
    assert printed_by(ASK_MLFLOW, tmp_path) == "None"


def test_who_asks_for_it_is_heard(tmp_path: Path) -> None:
    code = "import bukva, os; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    assert printed_by(code, tmp_path) == "1"
    assert printed_by(code, tmp_path, ORT_DISABLE_TELEMETRY="0") == "0"
