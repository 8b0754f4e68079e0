"""What two packaged models are asked, and whether they can be compared at all.

Shapes: N samples, H x W pixels.
"""

import json
from collections.abc import Iterable

import pandas as pd

from bukva.charset import LABELS
from bukva.data.columns import page_features
from bukva.data.embedded import EMBEDDED_CORPORA
from bukva.data.samples import UInt8Array
from bukva.evaluation.prediction_table import make_prediction_table
from bukva.inference.recogniser import Recogniser
from bukva.model_registry.models import PackagedModel


def is_comparable(one: Recogniser, other: Recogniser) -> bool:
    """Return whether two recognisers take the same inputs, and tell the same apart."""
    same = (
        _real_labels(one.labels) == _real_labels(other.labels),
        one.spec["page_features"] == other.spec["page_features"],
        one.spec["preprocessing"] == other.spec["preprocessing"],
    )
    return all(same)


def find_untested(production: PackagedModel, corpora: Iterable[str]) -> list[str]:
    """Return the corpora that the model in production was tested on, and the candidate was not.

    The embedded ones prove too little for their absence to stand in the way.
    """
    proven = set(json.loads(production.tags.get("corpora", "[]"))) - EMBEDDED_CORPORA
    return sorted(proven - set(corpora))


def _real_labels(labels: Iterable[str]) -> set[str]:
    """Return what both must tell apart; whether they also know what is no symbol may differ."""
    return set(labels) & set(LABELS)


def predict(recogniser: Recogniser, tests: pd.DataFrame, images_NHW: UInt8Array) -> pd.DataFrame:
    """Return the prediction table of a packaged recogniser over samples."""
    probabilities = recogniser.probabilities(images_NHW, page_features(tests))
    return make_prediction_table(
        tests, probabilities.label_NK, probabilities.uppercase_N, recogniser.labels
    )
