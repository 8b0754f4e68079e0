"""What stops a run before it begins is one clear message and exit code 1."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from kedro.framework.cli.cli import KedroCLI
from kedro_project import PROJECT, storage_at

from bukva.__main__ import main
from bukva.errors import ParameterError

BAD = "finetuning.max_epochs=0,mnist_pretraining.nonsense=1,data_processing.test_share=2"
FAULTS = ("finetuning.max_epochs", "mnist_pretraining.nonsense", "data_processing.test_share")


def bukva_job(project: Path, storage: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bukva", "job", *arguments],
        cwd=project,
        env={**os.environ, "BUKVA_TEST_STORAGE": str(storage)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A project as it is after `git clone`: configuration, and no data."""
    shutil.copytree(PROJECT / "conf", tmp_path / "clone" / "conf")
    shutil.copy(PROJECT / "pyproject.toml", tmp_path / "clone")
    (tmp_path / "clone" / "src").mkdir()
    return tmp_path / "clone"


def test_kedro_run_reports_all_bad_parameters_before_any_node(tmp_path: Path) -> None:
    with storage_at(tmp_path):
        arguments = ["run", "--env=test", f"--params={BAD}"]
        done = CliRunner().invoke(KedroCLI(PROJECT), arguments)
    assert done.exit_code == 1
    assert isinstance(done.exception, ParameterError)
    assert all(fault in str(done.exception) for fault in FAULTS)
    assert not list(tmp_path.iterdir())  # not even the database


def test_the_job_reports_all_bad_parameters_without_a_traceback(tmp_path: Path) -> None:
    done = bukva_job(PROJECT, tmp_path, "--env=test", f"--params={BAD}")
    assert done.returncode == 1
    message = done.stderr[done.stderr.index("ParameterError:") :]
    assert all(fault in message for fault in FAULTS)
    assert len(message.strip().splitlines()) == 4
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())  # not even the database


def test_a_missing_corpus_is_named_with_the_command_that_fetches_it(
    clone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with storage_at(clone):
        monkeypatch.chdir(clone)
        monkeypatch.setattr(sys, "argv", ["bukva", "job", "--env=real"])
        with pytest.raises(SystemExit) as caught:
            main()
    assert caught.value.code == 1
    stderr = capsys.readouterr().err
    message = stderr[stderr.index("CorpusMissingError:") :]
    for name in ("mnist", "rukopys", "comnist", "cyrillic_mnist"):
        assert f"{name}: data/01_raw/{name}/" in message
    assert "make corpora" in message
    assert "Traceback" not in stderr
    # Nothing was made of what there is.
    assert not list(clone.glob("data/0[2-8]*"))


def test_the_job_says_where_to_run_it(tmp_path: Path) -> None:
    done = bukva_job(tmp_path, tmp_path, "--env=test")
    assert done.returncode == 1
    assert "run from the project's root" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
