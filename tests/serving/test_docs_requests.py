"""Requests of the docs, sent as they stand but for the port."""

import os
import subprocess

import pytest
from command_checks import ROOT
from docs_commands import commands_run_by
from serving_servers import Server


@pytest.mark.parametrize("command", commands_run_by("test_a_request_is_answered"))
def test_a_request_is_answered(command: str, server: Server, tmp_path) -> None:
    (tmp_path / ".curlrc").write_text("fail\nsilent\nshow-error\n")
    here = command.replace("http://127.0.0.1:8000", server.base_url)
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-ec", here],
        cwd=ROOT, env=os.environ | {"CURL_HOME": str(tmp_path)}, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout
