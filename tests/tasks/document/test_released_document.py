"""The released model: small, complete, and as good as it was on what lies in the repository."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bukva_released
from bukva.core.samples import of_split
from bukva.datasets.models import NetworkWeightsDataset
from bukva.tasks.document.collection import collect
from bukva.tasks.document.drawn_lines import draw_lines
from bukva.tasks.document.evaluation.pictures import stack_lines
from bukva.tasks.document.evaluation.scores import predict, score
from bukva.tasks.document.parameters import DataParameters
from bukva.tasks.document.recogniser import DocumentRecogniser
from bukva.tasks.document.training import predict_logits, restore
from bukva.tasks.table import load_recogniser

FOLDER = Path(bukva_released.__file__).parent / "document"
MOST_BYTES = 10_000_000

Lines = tuple[pd.DataFrame, np.ndarray]


@pytest.fixture(scope="module")
def released() -> DocumentRecogniser:
    _, recogniser = load_recogniser((FOLDER / "model.onnx").read_bytes())
    assert isinstance(recogniser, DocumentRecogniser)
    return recogniser


@pytest.fixture(scope="module")
def tests() -> Lines:
    """Lines in fonts that it never learnt."""
    return of_split(*collect({}, DataParameters(drawn_lines=900, seed=11)), "test")


def test_it_is_small_and_says_what_it_is() -> None:
    files = list(FOLDER.iterdir())
    assert {file.name for file in files} == {"MODEL_CARD.md", "model.onnx", "model.safetensors"}
    assert sum(file.stat().st_size for file in files) < MOST_BYTES


def test_lines_in_fonts_that_it_never_learnt_are_told_as_well_as_before(
    released: DocumentRecogniser, tests: Lines
) -> None:
    scores = score(predict(released, *tests), resamples=50)
    assert scores["all.roc_auc"] > 0.93
    assert scores["all.balanced_accuracy"] > 0.8


def test_its_weights_are_those_of_its_onnx_file(released: DocumentRecogniser, tests: Lines) -> None:
    kept = NetworkWeightsDataset(filepath=str(FOLDER / "model.safetensors")).load()
    assert kept.spec == released.spec
    logits_NK, _ = released.logits_and_maps(tests[1][:20])
    np.testing.assert_allclose(predict_logits(restore(kept), tests[1][:20]), logits_NK, atol=1e-3)


def test_a_form_with_entries_is_mixed(released: DocumentRecogniser) -> None:
    lines = list(draw_lines(400, seed=5))
    chosen = [
        next(np.asarray(line.image) for line in lines if line.group == font)
        for font in ("old-standard-tt", "pt-serif", "marck-script", "bad-script")
    ]
    answer = released.answer_pixels(stack_lines(chosen, np.random.default_rng(1)))
    assert answer.label == "mixed"
    assert {part.label for part in answer.parts} == {"handwritten", "printed"}
