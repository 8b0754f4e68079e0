"""A packaged model in an environment made of its own requirements, without the project."""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pandas as pd
import pytest
from mlflow.artifacts import download_artifacts

from bukva.core.imaging.upscaling import encode_page
from bukva.core.samples import RawSample
from bukva.datasets.registry import PackagedModelsDataset
from bukva.registry.packaging import Package
from bukva.tasks.glyph.recogniser import Recogniser

INFERENCE = "bukva.pipelines.inference.pipeline.create_pipeline"
CALLER = Path(__file__).parents[1] / "helpers" / "answer_alone.py"


@pytest.fixture
def package(name: str, registry_folder: Path, random_recogniser: Recogniser) -> Path:
    """The files of a packaged model."""
    dataset = PackagedModelsDataset(model_name=name, inference=INFERENCE)
    dataset.save(Package(random_recogniser, {}, {}))
    return Path(download_artifacts(dataset.load()[0].uri, dst_path=str(registry_folder / name)))


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    ours = ("PYTHON", "MLFLOW", "KEDRO", "BUKVA")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


def install(requirements: Path, folder: Path) -> Path:
    """Make an environment of exactly these packages, and return its Python."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    [first, *_] = requirements.read_text().split()
    if run(python, "-m", "pip", "download", "-q", "--no-deps", first, cwd=folder).returncode:
        pytest.skip(f"pip cannot fetch {first} here: no index is within reach")
    # Compiled is what is imported, and not all that is there.
    options = ("-q", "--no-compile", "-r", requirements)
    installed = run(python, "-m", "pip", "install", *options, cwd=folder)
    assert installed.returncode == 0, installed.stderr
    return python


def test_every_requirement_is_pinned_to_what_packaged_it(package: Path) -> None:
    required = dict(line.split("==") for line in (package / "requirements.txt").read_text().split())
    assert {"cloudpickle", "kedro", "kedro-mlflow", "mlflow", "onnxruntime"} <= required.keys()
    import cloudpickle

    assert required["cloudpickle"] == cloudpickle.__version__


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_it_answers_without_a_word_besides(
    package: Path, tmp_path: Path, drawn_pages: list[RawSample], random_recogniser: Recogniser
) -> None:
    images = pd.Series([encode_page(page.image) for page in drawn_pages[:3]])
    images.to_frame("image").to_parquet(tmp_path / "images.parquet")
    python = install(package / "requirements.txt", tmp_path / "alone")
    done = run(python, CALLER, package, "images.parquet", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    [line] = done.stdout.splitlines()
    answers = json.loads(line)
    for told, asked in (("plain", None), ("explained", pd.Series([True] * 3))):
        expected = random_recogniser.recognise(images, asked)
        assert [list(answer) for answer in answers[told]] == [list(expected.columns)] * 3
        assert [answer["symbol"] for answer in answers[told]] == expected["symbol"].tolist()
    assert "frame" not in answers["plain"][0]
    assert all(answer["frame"] for answer in answers["explained"])
    assert Path(sys.executable).parent != python.parent
