"""The page that adds a task, followed in a copy of the project to the trained network."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from docs_commands import Block, read_blocks
from job_storage import Storage
from kedro_project import PROJECT

PAGE = PROJECT / "docs" / "how_to" / "add_a_task.md"
RUN = 'title="run in a copy of the project"'


def apply(block: Block, project: Path) -> None:
    """Write a file as the page has it, or change one as its diff says."""
    path = project / block.title.removeprefix('title="').removesuffix('"')
    if block.language != "diff":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text)
        return
    subprocess.run(["patch", "--batch", path], input=block.text, text=True, check=True)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    for name in ("conf", "src"):
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(PROJECT / name, folder / name, symlinks=True, ignore=ignored)
    shutil.copy(PROJECT / "pyproject.toml", folder)
    files = [block for block in read_blocks([PAGE]) if block.title and block.language != "bash"]
    assert len(files) == 4
    for block in files:
        apply(block, folder)
    return folder


@pytest.mark.slow
def test_the_page_leads_to_a_trained_network(
    project: Path, copy_of_job: Callable[[], Storage]
) -> None:
    [steps] = [block for block in read_blocks([PAGE]) if block.title == RUN]
    storage = copy_of_job().path
    environment = os.environ | {
        "BUKVA_TEST_STORAGE": str(storage),
        "PYTHONPATH": str(project / "src"),
    }
    for line in steps.lines:
        program, *arguments = shlex.split(line)
        command = [sys.executable, "-m", program, *arguments]
        subprocess.run(command, cwd=project, env=environment, check=True, capture_output=True)
    assert (storage / "06_models" / "digit_finetuning" / "model.safetensors").is_file()
    assert (storage / "08_reporting" / "digit_finetuning_learning_curves.png").is_file()
