"""The task `line`, as templates, registry and promotion know it."""

from functools import partial
from typing import Final

import pandas as pd

from bukva.core.arrays import UInt8Array
from bukva.core.golden import check_golden
from bukva.core.task import Scores, Task
from bukva.tasks.line.answer import Answer, Question
from bukva.tasks.line.recogniser import LineRecogniser


def predict(
    recogniser: LineRecogniser, tests: pd.DataFrame, images_NHW: UInt8Array
) -> pd.DataFrame:
    """Return the samples with what a recogniser reads of them."""
    # Late, as in `compare`: what is packaged answers without what evaluates it.
    from bukva.tasks.line.evaluation import scores

    return scores.predict(recogniser, tests, images_NHW)


def compare(first: pd.DataFrame, second: pd.DataFrame) -> Scores:
    """Compare two prediction tables: `bukva.tasks.line.evaluation.scores.compare`."""
    from bukva.tasks.line.evaluation import scores

    return scores.compare(first, second)


TASK: Final = Task(
    name="line",
    question=Question,
    answer=Answer,
    load=LineRecogniser,
    check_golden=partial(check_golden, field="text"),
    is_tested=lambda table: table["label"].notna(),
    predict=predict,
    is_comparable=lambda one, other: one.spec["preprocessing"] == other.spec["preprocessing"],
    compare=compare,
    guards={"characters_right": "characters read rightly", "words_right": "words read rightly"},
    embedded_corpora={"fonts"},
)
