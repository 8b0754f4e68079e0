"""The notebooks run from top to bottom on what the job and a search leave behind."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from job_storage import Storage
from kedro_project import run_pipeline

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def searched(copy_of_job: Callable[[], Storage]) -> Storage:
    """The job and a search: everything that the notebooks look at."""
    storage = copy_of_job()
    run_pipeline("tuning", storage.path)
    return storage


def execute(notebook: Path, storage: Storage, folder: Path) -> nbformat.NotebookNode:
    done = subprocess.run(
        [sys.executable, "-m", "jupyter", "nbconvert", "--to=notebook", "--execute",
         f"--output-dir={folder}", str(notebook)],
        env=os.environ | {"BUKVA_TEST_STORAGE": str(storage.path), "KEDRO_ENV": "test"},
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    return nbformat.read(folder / notebook.name, as_version=4)


@pytest.mark.slow
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(notebook: Path, searched: Storage, tmp_path: Path) -> None:
    code = [
        cell for cell in execute(notebook, searched, tmp_path).cells if cell.cell_type == "code"
    ]
    assert all(cell.execution_count for cell in code)
    shown = [output.get("data", {}) for cell in code for output in cell.outputs]
    assert any("image/png" in data for data in shown), "it looks at data, so it shows some"


def test_there_is_a_notebook_for_each_question() -> None:
    names = {notebook.stem for notebook in NOTEBOOKS}
    assert names == {"eda_and_viz", "mnist_training", "tuning", "error_analysis"}
