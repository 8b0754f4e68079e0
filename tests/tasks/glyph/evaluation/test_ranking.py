import numpy as np
import pandas as pd
import pytest
from prediction_tables import make_predictions, with_probabilities
from sklearn.metrics import roc_auc_score

from bukva.errors import TableError
from bukva.tasks.glyph.charset import LABELS, encode
from bukva.tasks.glyph.figures.ranking import (
    label_roc,
    macro_roc,
    measure_roc,
    micro_roc,
    risk_coverage,
)


@pytest.fixture
def predictions() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    labels, others = rng.choice(list("абв"), 90), rng.choice(list("абв"), 90)
    read = np.where(rng.random(90) < 0.7, labels, others)
    rows = [(label, None, other, 0.5) for label, other in zip(labels, read, strict=True)]
    return with_probabilities(make_predictions(*rows))


def test_areas_are_those_of_scikit_learn(predictions: pd.DataFrame) -> None:
    label_NK = np.stack(predictions["label_probabilities"])
    curves = label_roc(predictions)
    assert list(curves) == ["а", "б", "в"]
    areas = [roc_auc_score(predictions["label"] == x, label_NK[:, encode(x)]) for x in "абв"]
    assert [curve.area for curve in curves.values()] == pytest.approx(areas)
    assert macro_roc(curves).area == pytest.approx(np.mean(areas), abs=0.01)
    is_it_NK = predictions["label"].to_numpy()[:, None] == np.array(list(LABELS))
    assert micro_roc(predictions).area == pytest.approx(
        roc_auc_score(is_it_NK.ravel(), label_NK.ravel())
    )


def test_what_ranks_perfectly_has_an_area_of_one() -> None:
    curve = measure_roc(np.array([False, True, True]), np.array([0.1, 0.2, 0.9]))
    assert curve.area == 1.0
    assert measure_roc(np.array([True, False]), np.array([0.5, 0.5])).area == 0.5


def test_one_label_alone_has_no_curve() -> None:
    assert label_roc(with_probabilities(make_predictions(("а", None, "а", 0.5)))) == {}


def test_probabilities_of_all_labels_are_asked_for(predictions: pd.DataFrame) -> None:
    with pytest.raises(TableError, match="all 43 labels"):
        label_roc(predictions.drop(columns="label_probabilities"))
    fewer = [row[:10] for row in predictions["label_probabilities"]]
    with pytest.raises(TableError, match="all 43 labels"):
        label_roc(predictions.assign(label_probabilities=fewer))


def test_risk_grows_with_coverage_where_confidence_means_something() -> None:
    predictions = make_predictions(*[("а", None, "а", 0.5)] * 3, ("а", None, "б", 0.5))
    predictions["label_probability"] = [0.7, 0.9, 0.8, 0.6]
    curve = risk_coverage(predictions)
    assert list(curve["coverage"]) == [0.25, 0.5, 0.75, 1.0]
    assert list(curve["risk"]) == [0, 0, 0, 0.25]
    assert list(curve["threshold"]) == [0.9, 0.8, 0.7, 0.6]
