"""Commands of the docs that run stages, as they stand, in the environment `test`."""

import shlex
from collections.abc import Callable

import pytest
from click.testing import CliRunner
from docs_commands import commands_run_by
from job_storage import Storage
from kedro.framework.cli.cli import KedroCLI
from kedro_project import PROJECT, storage_at


@pytest.fixture(scope="module")
def storage(copy_of_job: Callable[[], Storage]) -> Storage:
    """One for all of them: each stage goes on with what the former made."""
    return copy_of_job()


@pytest.mark.parametrize("command", commands_run_by("test_commands_run_as_they_stand"))
def test_commands_run_as_they_stand(
    command: str, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEDRO_ENV", "test")
    program, *arguments = shlex.split(command)
    assert program == "kedro"
    with storage_at(storage.path):
        done = CliRunner().invoke(KedroCLI(project_path=PROJECT), arguments)
    assert done.exit_code == 0, done.output
