"""The task `glyph`, as templates, registry and promotion know it."""

from collections.abc import Iterable
from typing import Final

import pandas as pd

from bukva.core.arrays import UInt8Array
from bukva.core.task import Scores, Task
from bukva.tasks.glyph.answer import Answer, Question
from bukva.tasks.glyph.charset import LABELS
from bukva.tasks.glyph.embedded import EMBEDDED_CORPORA
from bukva.tasks.glyph.recogniser import Recogniser, check_golden, read_golden
from bukva.tasks.glyph.table import is_symbol, page_features


def is_comparable(one: Recogniser, other: Recogniser) -> bool:
    """Return whether two recognisers take the same inputs, and tell the same apart."""
    same = (
        _real_labels(one.labels) == _real_labels(other.labels),
        one.spec["page_features"] == other.spec["page_features"],
        one.spec["preprocessing"] == other.spec["preprocessing"],
    )
    return all(same)


def _real_labels(labels: Iterable[str]) -> set[str]:
    """Return what both must tell apart; whether they also know what is no symbol may differ."""
    return set(labels) & set(LABELS)


def predict(recogniser: Recogniser, tests: pd.DataFrame, images_NHW: UInt8Array) -> pd.DataFrame:
    """Return the prediction table of a recogniser over samples."""
    # Late, as in `compare`: what is packaged answers without what evaluates it.
    from bukva.tasks.glyph.evaluation.predictions import make_prediction_table

    probabilities = recogniser.probabilities(images_NHW, page_features(tests))
    return make_prediction_table(
        tests, probabilities.label_NK, probabilities.uppercase_N, recogniser.labels
    )


def check_golden_file(recogniser: Recogniser, content: bytes) -> None:
    """Check what `write_golden` wrote: see `recogniser.check_golden`."""
    check_golden(recogniser, read_golden(content))


def compare(first: pd.DataFrame, second: pd.DataFrame) -> Scores:
    """Compare two prediction tables: `bukva.tasks.glyph.evaluation.metrics.compare`."""
    from bukva.tasks.glyph.evaluation import metrics

    return metrics.compare(first, second)


TASK: Final = Task(
    name="glyph",
    question=Question,
    answer=Answer,
    load=Recogniser,
    check_golden=check_golden_file,
    is_tested=is_symbol,
    predict=predict,
    is_comparable=is_comparable,
    compare=compare,
    guards={
        "label_accuracy": "label accuracy",
        "letters.joint_accuracy": "label and case of letters",
    },
    embedded_corpora=EMBEDDED_CORPORA,
)
