"""The review in Label Studio: drawings as its tasks, its annotations as decisions.

Its project needs an image `image` and one choice `symbol`: see docs/how_to/retrain.md.
"""

import base64
import json
from collections.abc import Mapping
from typing import Any, Final

import pandas as pd
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from bukva.charset import SYMBOLS
from bukva.data.feedback.decisions import Decision, Decisions
from bukva.errors import CorrectionError

REJECT: Final = "reject"
"""The choice that stands for: learn nothing from it."""


class _Data(BaseModel):
    correction: str = Field(pattern=r"^[0-9a-f]{32}$")


class _Annotation(BaseModel):
    model_config = ConfigDict(extra="ignore")

    result: list[dict[str, Any]]
    completed_by: int | dict[str, Any] | None = None
    created_at: AwareDatetime
    was_cancelled: bool = False


class _Task(BaseModel):
    data: _Data
    annotations: list[_Annotation] = []


def write_tasks(review: pd.DataFrame) -> bytes:
    """Return the table `feedback_review` as tasks to import, the model's reading as prediction."""
    tasks = [_to_task(row) for row in review.to_dict(orient="records")]
    return json.dumps(tasks, ensure_ascii=False, indent=1).encode()


def _to_task(row: Mapping[Any, Any]) -> dict[str, Any]:
    image = base64.b64encode(row["image"]).decode("ascii")
    return {
        "data": {
            "image": f"data:image/png;base64,{image}",
            "correction": row["name"],
            "given": row["given"],
        },
        "predictions": [
            {"score": row["reading_probability"], "result": [_to_result(row["reading"])]}
        ],
    }


def _to_result(reading: str) -> dict[str, Any]:
    choice = reading if reading in SYMBOLS else REJECT
    return {
        "from_name": "symbol",
        "to_name": "image",
        "type": "choices",
        "value": {"choices": [choice]},
    }


def read_annotations(content: bytes) -> Decisions:
    """Return the decisions in a JSON export of Label Studio; the last annotation of a task counts.

    Raises:
        CorrectionError: If it is no such export, or an annotation is no symbol; names the task.
    """
    try:
        tasks = [_Task.model_validate(task) for task in json.loads(content)]
    except (ValidationError, ValueError, TypeError) as error:
        message = f"Expected the JSON export of Label Studio, got something else: {error}"
        raise CorrectionError(message) from error
    decisions: Decisions = {}
    for task in tasks:
        given = [item for item in task.annotations if item.result and not item.was_cancelled]
        if given:
            last = max(given, key=lambda item: item.created_at)
            decisions[task.data.correction] = _to_decision(last, task.data.correction)
    return decisions


def _to_decision(annotation: _Annotation, name: str) -> Decision:
    try:
        [choice] = annotation.result[0]["value"]["choices"]
        return Decision.model_validate(
            {
                "symbol": None if choice == REJECT else choice,
                "reviewer": _name_of(annotation.completed_by),
                "decided": annotation.created_at,
            }
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CorrectionError(
            f"Expected one choice, a symbol or '{REJECT}', as the annotation of {name}, got "
            f"{annotation.result[0].get('value')!r}."
        ) from error


def _name_of(person: int | dict[str, Any] | None) -> str:
    name = person.get("email") if isinstance(person, dict) else person
    return f"Label Studio {name}"[:64]
