"""The service as people get it: the released model, packaged, in a registry of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from serving_servers import Server, run_process

PROJECT = Path(__file__).parents[2]


def register_released(folder: Path) -> str:
    """The address of a new registry in `folder`, with the released model in production."""
    command = [sys.executable, "-m", "bukva", "release", "install", "--env=test"]
    environment = os.environ | {"BUKVA_TEST_STORAGE": str(folder)}
    subprocess.run(command, cwd=PROJECT, env=environment, check=True, capture_output=True)
    return f"sqlite:///{folder}/mlflow.db"


@contextmanager
def run_released(folder: Path, **environment: str) -> Iterator[Server]:
    """The service with the released model, ready; all that it writes is in `folder`."""
    places = {
        "BUKVA_TRACKING_URI": register_released(folder),
        "BUKVA_FEEDBACK_FOLDER": str(folder / "feedback"),
    }
    with run_process(**places, **environment) as server:
        # Some fifteen seconds of work; how long that takes is for the machine to say.
        server.wait_until_ready(timeout_s=600)
        yield server
