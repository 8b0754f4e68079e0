"""`python -m bukva stack` where no stack runs."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from kedro_project import PROJECT

from bukva.__main__ import bukva
from bukva.cli.stack_processes import tools
from bukva.cli.stack_processes.processes import Stack, end_processes, open_stack, start
from bukva.errors import BackupError, StackError


@pytest.fixture(autouse=True)
def project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PROJECT)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(bukva, ["stack", *arguments])


@pytest.mark.parametrize("command", ["status", "down", "env"])
def test_without_a_stack_it_says_how_to_make_one(command: str, tmp_path: Path) -> None:
    done = run(command, f"--folder={tmp_path}")
    assert isinstance(done.exception, StackError)
    assert "make stack" in str(done.exception)


def test_passwords_are_written_once(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    assert "Wrote" in run("passwords", str(file)).output
    content = file.read_text()
    assert "is there already" in run("passwords", str(file)).output
    assert file.read_text() == content


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return open_stack(tmp_path / "a folder % of mine", 8400)


def test_a_stack_keeps_its_port(stack: Stack) -> None:
    assert stack.url("postgresql").endswith(":8404")
    with pytest.raises(StackError, match="8400"):
        open_stack(stack.folder, 9000)


def refuse(stack: Stack) -> str:
    """Start it; return why that is refused, after a look that nothing was begun."""
    with pytest.raises(StackError) as refused:
        start(stack, with_model=False, tell=lambda _: pytest.fail("a server was started"))
    assert [path.name for path in stack.folder.iterdir()] == ["stack.env"]
    return str(refused.value)


def test_a_port_that_is_taken_is_named_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        first = taken.getsockname()[1] - 2
        said = refuse(open_stack(tmp_path / "stack", first))
    assert f"port {first + 2} to be free for mlflow" in said


def test_a_program_that_is_missing_is_named_before_anything_starts(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "_path", lambda: os.devnull)
    assert "Expected the program postgres" in refuse(stack)


def test_env_gives_a_shell_what_training_needs(stack: Stack) -> None:
    printed = run("env", f"--folder={stack.folder}").output
    shell = f"{printed}\nexec {sys.executable} -c 'import os; print(dict(os.environ))'"
    done = subprocess.run(["sh", "-c", shell], env={}, capture_output=True, text=True, check=True)
    given = eval(done.stdout)  # what Python printed
    assert given["MLFLOW_TRACKING_URI"] == "http://127.0.0.1:8402"
    assert given["MLFLOW_TRACKING_PASSWORD"] == stack.variables["MLFLOW_TRAINER_PASSWORD"]
    assert given["AWS_SECRET_ACCESS_KEY"] == stack.variables["S3_TRAINER_SECRET"]
    assert given["BUKVA_STORAGE"] == "s3://bukva"
    assert given["BUKVA_TUNING_STORAGE"].endswith("127.0.0.1:8404/optuna")


@pytest.mark.parametrize("name", ["training", "operations"])
def test_nothing_stays_unfilled(stack: Stack, name: str) -> None:
    assert all(value and "$" not in value for value in stack.environment(name).values())


def test_a_variable_that_an_older_file_lacks_is_named(stack: Stack) -> None:
    file = stack.folder / "stack.env"
    file.write_text(file.read_text().replace("\nS3_BUCKET=", "\n# S3_BUCKET="))
    with pytest.raises(StackError, match="Expected S3_BUCKET in"):
        open_stack(stack.folder).environment("training")


def test_a_stack_that_does_not_run_is_down_and_silent(stack: Stack) -> None:
    assert "Nothing runs" in run("down", f"--folder={stack.folder}").output
    assert run("status", f"--folder={stack.folder}").exit_code == 1
    done = run("backup", f"--folder={stack.folder}", f"--to={stack.folder / 'backup'}")
    assert "make stack" in str(done.exception)


def test_a_folder_that_is_no_backup_is_refused_before_anything_is_asked(stack: Stack) -> None:
    done = run("restore", f"--folder={stack.folder}", f"--from={stack.folder}")
    assert isinstance(done.exception, BackupError)


def test_accounts_need_their_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRAINER_PASSWORD", raising=False)
    done = run("make-users")
    assert "MLFLOW_TRAINER_PASSWORD" in str(done.exception)


def test_what_a_killed_server_left_is_ended_and_nothing_else(tmp_path: Path) -> None:
    wait = [sys.executable, "-c", "import time; time.sleep(600)"]
    marks = [(tmp_path, "mlflow"), (tmp_path, "api"), (tmp_path / "other", "mlflow")]
    processes = [
        subprocess.Popen(wait, env={"BUKVA_STACK": str(folder), "SUPERVISOR_PROCESS_NAME": name})
        for folder, name in marks
    ]
    try:
        assert end_processes(tmp_path, "mlflow")
        processes[0].wait(timeout=30)
        assert [process.poll() for process in processes[1:]] == [None, None]
        assert end_processes(tmp_path)
        processes[1].wait(timeout=30)
        assert processes[2].poll() is None
    finally:
        for process in processes:
            process.kill()
            process.wait()
