"""A project whose folder is renamed or copied, as somebody does it after a first model."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from fresh_clone import environment, make_clone, make_serve

pytestmark = pytest.mark.timeout(900)

SCRIPT = Path(__file__).parents[1] / "helpers" / "register_variant.py"


def run(project: Path, *arguments: str, code: int = 0) -> str:
    """Run Python in a project, and return what it printed."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=project,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr


def model(project: Path, *arguments: str) -> str:
    return run(project, "-m", "bukva", "model", *arguments)


def files_of(project: Path) -> set[Path]:
    place = project / "mlartifacts"
    return {path.relative_to(place) for path in place.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the released model as version 1, and version 2 in production."""
    project = tmp_path_factory.mktemp("projects") / "мій проєкт"
    make_clone(project)
    run(project, "-m", "bukva", "release", "install")
    assert run(project, str(SCRIPT), "second").splitlines()[-1] == "2"
    return project


def test_a_copy_lives_by_itself(original: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(original, tmp_path / "copy", symlinks=True))
    before = files_of(original)
    assert run(copy, str(SCRIPT), "third").splitlines()[-1] == "3"
    assert len(files_of(copy)) > len(before)
    assert files_of(original) == before
    assert "Version 2 is in production again" in model(copy, "rollback")
    assert len(json.loads(model(copy, "log", "--json"))) == 4
    assert len(json.loads(model(original, "log", "--json"))) == 2


def test_a_renamed_project_goes_on(original: Path, tmp_path: Path) -> None:
    renamed = tmp_path / "renamed"
    original.rename(renamed)
    try:
        shown = json.loads(model(renamed, "show", "--json"))
        assert (shown["version"], shown["aliases"]) == ("2", ["prod"])
        assert "version 2" in model(renamed, "compare", "1", "2")
        assert "Version 1 is in production again" in model(renamed, "rollback")
        assert "Version 2 is in production again" in model(renamed, "rollback")
        said = run(renamed, "-m", "bukva", "release", "install")
        assert "known as version 1; in production is version 2" in said
        with make_serve(renamed) as server:
            server.wait_until_ready(timeout_s=600)
    finally:
        renamed.rename(original)


def test_what_was_left_behind_is_named_and_made_anew(original: Path, tmp_path: Path) -> None:
    bare = make_clone(tmp_path / "bare")
    shutil.copy(original / "mlflow.db", bare)
    kept = original.rename(tmp_path / "away")
    try:
        said = run(bare, "-m", "bukva", "model", "rollback", code=1)
        assert f"{original}/mlartifacts/" in said.replace("\n", "")
        assert "release install" in said.replace("\n", " ")
        said = run(bare, "-m", "bukva", "release", "install")
        assert "registered as version 3, is in production" in said
        assert json.loads(model(bare, "show", "--json"))["version"] == "3"
        assert files_of(bare)
    finally:
        kept.rename(original)
