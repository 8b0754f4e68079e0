"""`python -m bukva stack` where no stack runs."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bukva.__main__ import bukva
from bukva.errors import BackupError, StackError
from bukva.stack.layout import Layout
from bukva.stack.leftovers import MARK, end_leftovers
from bukva.stack.logs import LogFollower
from bukva.stack.preparing import fill_template
from bukva.stack.programs import Program
from bukva.stack.supervisor import Supervisor
from kedro_project import PROJECT


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
def layout(tmp_path: Path) -> Layout:
    from bukva.stack.layout import make_layout

    return make_layout(tmp_path / "a folder % of mine", 8400)


def test_a_stack_keeps_its_port(layout: Layout) -> None:
    from bukva.stack.layout import make_layout

    assert layout.url("postgresql").endswith(":8404")
    with pytest.raises(StackError, match="8400"):
        make_layout(layout.folder, 9000)


def test_a_port_that_is_taken_is_named(layout: Layout) -> None:
    from bukva.stack.running import check_ports

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        first = taken.getsockname()[1] - 2
        variables = {**layout.variables, "STACK_PORT": str(first)}
        with pytest.raises(StackError, match=f"port {first + 2} to be free for mlflow"):
            check_ports(Layout(layout.folder, variables))


def test_env_gives_a_shell_what_training_needs(layout: Layout) -> None:
    printed = run("env", f"--folder={layout.folder}").output.splitlines()
    names = {line.removeprefix("export ").split("=")[0] for line in printed}
    assert {"MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_PASSWORD", "BUKVA_STORAGE"} <= names
    assert {"AWS_ENDPOINT_URL", "AWS_SECRET_ACCESS_KEY", "BUKVA_TUNING_STORAGE"} <= names


def test_a_stack_that_does_not_run_is_down_and_silent(layout: Layout) -> None:
    assert "Nothing runs" in run("down", f"--folder={layout.folder}").output
    assert run("status", f"--folder={layout.folder}").exit_code == 1


def test_a_folder_that_is_no_backup_is_refused_before_anything_is_asked(layout: Layout) -> None:
    done = run("restore", f"--folder={layout.folder}", f"--from={layout.folder}")
    assert isinstance(done.exception, BackupError)


def test_what_a_supervisor_is_told_has_no_password_of_a_server(layout: Layout) -> None:
    program = Program("api", ("/bin/echo", "it's", "50 %"), {"API_SECRET": "so $ecret's"})
    Supervisor(layout).configure([program])
    script = layout.folder / "run" / "api.sh"
    assert "ecret" not in layout.supervisor_file.read_text()
    assert "export API_SECRET='so $ecret'\"'\"'s'" in script.read_text()
    assert script.stat().st_mode & 0o077 == layout.supervisor_file.stat().st_mode & 0o077 == 0


def test_what_a_killed_server_left_is_ended_and_nothing_else(tmp_path: Path) -> None:
    wait = [sys.executable, "-c", "import time; time.sleep(600)"]
    processes = [
        subprocess.Popen(wait, env={MARK: str(tmp_path / name)}) for name in ("mlflow", "api")
    ]
    try:
        assert end_leftovers(str(tmp_path / "mlflow")) == [processes[0].pid]
        assert processes[0].wait(timeout=30) != 0
        assert processes[1].poll() is None
    finally:
        for process in processes:
            process.kill()
            process.wait()


def test_lines_are_shown_once_when_they_are_whole(tmp_path: Path) -> None:
    (tmp_path / "old.log").write_text("before\n")
    follower = LogFollower(tmp_path)
    (tmp_path / "api.log").write_text("one\ntw")
    assert [line.split("| ")[1] for line in follower.read()] == ["one"]
    (tmp_path / "api.log").write_text("one\ntwo\n")
    assert [line.split() for line in follower.read()] == [["api", "|", "two"]]
    (tmp_path / "api.log").write_text("new\n")
    assert [line.split("| ")[1] for line in follower.read()] == ["new"]


def test_a_template_is_filled_and_nginxs_own_variables_stay() -> None:
    text = "listen ${STACK_LISTEN}; set $scheme;"
    assert fill_template(text, {"STACK_LISTEN": "80"}) == "listen 80; set $scheme;"
