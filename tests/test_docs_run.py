"""Commands of the docs that are run as they stand: those that take no more than seconds."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from command_checks import ROOT
from docs_commands import commands_run_by


@pytest.mark.parametrize("command", commands_run_by("test_a_command_runs_as_it_stands"))
def test_a_command_runs_as_it_stands(command: str) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-ec", command],
        cwd=ROOT, env=os.environ | {"PATH": path}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
