"""The task `document`, as templates, registry and promotion know it."""

from functools import partial
from typing import Final

import pandas as pd

from bukva.core.arrays import UInt8Array
from bukva.core.golden import check_golden
from bukva.core.task import Scores, Task
from bukva.tasks.document.answer import Answer, Question
from bukva.tasks.document.recogniser import DocumentRecogniser


def predict(
    recogniser: DocumentRecogniser, tests: pd.DataFrame, images_NHW: UInt8Array
) -> pd.DataFrame:
    """Return the samples with what a recogniser says of them."""
    # Late, as in `compare`: what is packaged answers without what evaluates it.
    from bukva.tasks.document.evaluation import scores

    return scores.predict(recogniser, tests, images_NHW)


def compare(first: pd.DataFrame, second: pd.DataFrame) -> Scores:
    """Compare two prediction tables: `bukva.tasks.document.evaluation.scores.compare`."""
    from bukva.tasks.document.evaluation import scores

    return scores.compare(first, second)


TASK: Final = Task(
    name="document",
    question=Question,
    answer=Answer,
    load=DocumentRecogniser,
    check_golden=partial(check_golden, field="label"),
    is_tested=lambda table: table["label"].notna(),
    predict=predict,
    is_comparable=lambda one, other: one.frame == other.frame,
    compare=compare,
    guards={
        "accuracy": "lines told rightly",
        "handwritten.recall": "handwritten lines",
        "printed.recall": "printed lines",
    },
    embedded_corpora={"drawn_lines"},
)
