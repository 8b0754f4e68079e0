import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from prediction_tables import make_predictions

from bukva.charset import CLASSES
from bukva.data.terms import EMBEDDED_TERMS
from bukva.evaluation.bootstrap import bootstrap_scores
from bukva.evaluation.metrics import score
from bukva.evaluation.model_card import describe_model, write_model_card
from bukva.models.trained import TrainedModel

TEMPLATE = (Path(__file__).parents[2] / "conf" / "base" / "model_card.md").read_text()
DETAILS = {"network": "", "refuses": "", "weights_sha256": "", "data_fingerprint": ""}
ACCURACIES = [("stored", 0, 0.96), ("rendered", 0, 0.94), ("noise", 25, 0.5)]
ROBUSTNESS = pd.DataFrame(
    [
        {"shift": shift, "strength": strength, "corpus": corpus, "n": 50, "accuracy": accuracy}
        for shift, strength, accuracy in [
            ("stored", 0, 0.96),
            ("rendered", 0, 0.94),
            ("noise", 25, 0.5),
        ]
        for corpus in ("paper", "strokes")
    ]
)


@pytest.fixture(scope="module")
def results() -> dict:
    rows = [("а", True, "а", 0.9)] * 45 + [("б", False, "в", 0.2)] * 5
    predictions = make_predictions(*rows)
    return score(predictions) | bootstrap_scores(predictions, 50)


def card(results: dict) -> str:
    terms = {"strokes": EMBEDDED_TERMS["strokes"]}
    return write_model_card(TEMPLATE, DETAILS, results, ROBUSTNESS, terms)


def test_the_card_holds_what_was_measured(results: dict) -> None:
    text = card(results)
    assert "| paper | 50 | 90.00 [78.64, 95.65] |" in text
    assert re.search(r"\| paper \| 50 \| 50\.00 \[", text)  # macro recall
    assert "| as stored | 96.0 | 96.0 |" in text
    assert "| noise, deviation 25 of 255 | 50.0 | 50.0 |" in text
    assert "strokes (synthetic)" in text
    assert "on 100 test samples" in text
    assert "- **strokes (synthetic)**: The stroke alphabet" in text
    assert "Not measured: the model always answers" in text
    assert "$" not in text


def test_refusals_are_told_by_kind(results: dict) -> None:
    refused = {"refusal.dot.refused": 0.9, "refusal.dot.refused.ci95": [0.8, 0.95]}
    assert "| dot | 90.00 [80.00, 95.00] |" in card(results | refused)


def test_the_card_says_what_the_model_is(make_model: Callable[..., TrainedModel]) -> None:
    model = make_model(labels=CLASSES)
    details = describe_model(model)
    weights = sum(item.numel() for item in model.to_network().parameters())
    assert details["network"] == (
        f'`glyph_cnn` `{{"dropout": 0.2, "width": 4}}`, 44 classes, {weights:,} weights.'
    )
    assert details["weights_sha256"] == model.digest()
    assert "no symbol" in details["refuses"]
    assert describe_model(make_model())["refuses"] == ""


def test_a_name_that_nothing_is_known_of_is_an_error(results: dict) -> None:
    with pytest.raises(KeyError, match="luck"):
        write_model_card("$luck", DETAILS, results, ROBUSTNESS, {})
