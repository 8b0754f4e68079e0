"""A fresh clone serves the released model: no data, no training, no network."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from fresh_clone import environment, make_clone, make_serve
from PIL import Image
from serving_servers import Server, wait_for

from bukva.cli.released.manifest import RELEASED, read_release
from bukva.tasks.glyph.strokes.writing import draw_symbol
from mixed_load import draw_page

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clone(tmp_path_factory.mktemp("clone"))


def png(symbol: str, seed: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(draw_symbol(symbol, np.random.default_rng(seed))).save(buffer, "PNG")
    return buffer.getvalue()


def read(server: Server, image: bytes) -> dict[str, object]:
    response = server.http.post("/v1/predict", files={"file": ("letter.png", image)})
    answer: dict[str, object] = response.raise_for_status().json()
    return answer


@pytest.fixture(scope="module")
def answers(clone: Path) -> list[dict[str, object]]:
    """To five letters, and to a page of a document."""
    with make_serve(clone) as server:
        # Some fifteen seconds of work; how long that takes is for the machine to say.
        server.wait_until_ready(timeout_s=600)
        letters = [read(server, png("ж", seed)) for seed in range(5)]
        wait_for(lambda: server.answers("/v2/models/bukva-document/ready"), timeout_s=600)
        page = draw_page(1, "printed")
        said = server.http.post("/v1/documents", files={"file": ("page.png", page)}, timeout=60)
        return [*letters, said.raise_for_status().json()]


def test_make_serve_on_a_fresh_clone_reads_a_drawn_letter(
    answers: list[dict[str, object]],
) -> None:
    labels = [answer["label"] for answer in answers[:-1]]
    assert labels.count("ж") >= 3, labels
    assert answers[0]["model"] == {"name": "bukva-glyph", "version": "1", "alias": "prod"}


def test_it_tells_documents_too(answers: list[dict[str, object]]) -> None:
    assert answers[-1]["label"] == "printed"
    assert answers[-1]["model"] == {"name": "bukva-document", "version": "1", "alias": "prod"}


def release_install(clone: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "bukva", "release", "install", *arguments],
        cwd=clone, env=environment(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


def test_what_is_installed_is_not_installed_again(
    clone: Path, answers: list[dict[str, object]]
) -> None:
    before = (clone / "mlflow.db").read_bytes()
    assert release_install(clone, "--if-none") == ""
    assert (clone / "mlflow.db").read_bytes() == before
    said = release_install(clone)
    version = read_release(RELEASED).version
    assert f"Released model {version} (trained on " in said
    assert "known as version 1, is in production" in said


def test_an_operators_registry_is_left_alone(clone: Path) -> None:
    """Where the service is told of another registry, nothing is installed anywhere."""
    shown = subprocess.run(
        ["make", "-n", "serve"], cwd=clone, check=True, capture_output=True, text=True,
        env=environment() | {"BUKVA_TRACKING_URI": "http://mlflow:5000"},
    )  # fmt: skip
    assert "release install" not in shown.stdout
