"""The task `character`, as templates, registry and promotion know it."""

from functools import partial
from typing import Final

from bukva.core.golden import check_golden
from bukva.core.task import Task
from bukva.tasks.character.evaluation import compare, predict
from bukva.tasks.character.recogniser import Answer, CharacterRecogniser, Question

TASK: Final = Task(
    name="character",
    question=Question,
    answer=Answer,
    load=CharacterRecogniser,
    check_golden=partial(check_golden, field="character"),
    is_tested=lambda table: table["label"].notna(),
    predict=predict,
    is_comparable=lambda one, other: set(one.labels) == set(other.labels),
    compare=compare,
    guards={"accuracy": "accuracy"},
    embedded_corpora={"digits"},
)
