"""What reviewers said of single corrections: the file that the review writes, and Label Studio.

A project of Label Studio needs an image `image` and one choice `symbol`: docs/how_to/retrain.md.
"""

import base64
import json
import re
import unicodedata
from collections.abc import Mapping
from typing import Annotated, Any, Final, TypeAlias

import pandas as pd
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.functional_validators import AfterValidator

from bukva.errors import CorrectionError
from bukva.tasks.glyph import charset

REJECT: Final = "reject"
"""The choice that stands for: learn nothing from it."""


def _compose(symbol: str) -> str:
    """Return a symbol in one code point: macOS and some tables write й and ї in two."""
    composed = unicodedata.normalize("NFC", symbol)
    charset.from_symbol(composed)
    return composed


Symbol: TypeAlias = Annotated[str, AfterValidator(_compose)]


class Decision(BaseModel):
    """What a person who looked at a drawing says that it shows.

    Attributes:
        symbol: None if nothing is to be learnt from it.
        reviewer: Who says so.
        decided: When.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    symbol: Symbol | None
    reviewer: Annotated[str, Field(min_length=1, max_length=64)]
    decided: AwareDatetime


Decisions: TypeAlias = dict[str, Decision]
"""By the id of the correction."""

_DECISIONS: TypeAdapter[Decisions] = TypeAdapter(dict[str, Decision])


def parse_decisions(content: bytes) -> Decisions:
    """Return the decisions of a file.

    Raises:
        CorrectionError: If it is not one; names what is wrong.
    """
    try:
        return _DECISIONS.validate_json(content)
    except ValidationError as error:
        faults = "\n".join(
            f"  - {'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()
        )
        message = f"Expected the decisions of a review, got a file with faults:\n{faults}\n"
        raise CorrectionError(f"{message}Mend it, or put a former one in its place.") from error


def write_decisions(decisions: Mapping[str, Decision]) -> bytes:
    """Return the bytes of the file, in the order of the ids."""
    return _DECISIONS.dump_json(dict(sorted(decisions.items())), indent=1)


def newer_than(kept: Mapping[str, Decision], taken: Mapping[str, Decision]) -> Decisions:
    """Return those that were taken after what is kept of the same drawing, if anything is."""
    return {
        name: decision
        for name, decision in taken.items()
        if name not in kept or decision.decided > kept[name].decided
    }


class _Result(BaseModel):
    """What one field of the form says; beside the choice there may be texts, ratings, regions."""

    type: str = ""
    from_name: str = ""
    value: dict[str, Any] = {}


class _Annotation(BaseModel):
    result: list[_Result]
    completed_by: int | dict[str, Any] | None = None
    created_at: AwareDatetime
    updated_at: AwareDatetime | None = None
    was_cancelled: bool = False

    @property
    def decided(self) -> AwareDatetime:
        return self.updated_at or self.created_at

    @property
    def choices(self) -> list[Any]:
        fields = [item for item in self.result if item.type == "choices"]
        named = [item for item in fields if item.from_name == "symbol"]
        return [item.value.get("choices") for item in named or fields]


class _Task(BaseModel):
    data: dict[str, Any]
    annotations: list[_Annotation] = []


def write_tasks(review: pd.DataFrame) -> bytes:
    """Return the table `feedback_review` as tasks to import, the model's reading as prediction."""
    tasks = []
    for row in review.to_dict(orient="records"):
        image = base64.b64encode(row["image"]).decode("ascii")
        choice = row["reading"] if row["reading"] in charset.SYMBOLS else REJECT
        read = {"from_name": "symbol", "to_name": "image", "type": "choices"}
        predicted = {
            "score": row["reading_probability"],
            "result": [read | {"value": {"choices": [choice]}}],
        }
        shown = {
            "image": f"data:{media_type(row['image'])};base64,{image}",
            "correction": row["name"],
        }
        tasks.append({"data": shown | {"given": row["given"]}, "predictions": [predicted]})
    return json.dumps(tasks, ensure_ascii=False, indent=1).encode()


def media_type(image: bytes) -> str:
    """Return what a stored drawing is: PNG, or a photo as WebP."""
    return "image/webp" if image.startswith(b"RIFF") else "image/png"


def read_annotations(content: bytes) -> tuple[Decisions, int]:
    """Return the decisions in a JSON export of Label Studio; the last annotation of a task counts.

    Returns:
        Decisions, and how many tasks are not of drawings, but of some other project.

    Raises:
        CorrectionError: If it is no such export, or a choice is no symbol; names the task.
    """
    try:
        tasks = json.loads(content)
        ours = [_Task.model_validate(task) for task in tasks if _is_ours(task["data"])]
    except (ValidationError, ValueError, TypeError, KeyError) as error:
        message = f"Expected the JSON export of Label Studio, got something else: {error}"
        raise CorrectionError(message) from error
    decisions: Decisions = {}
    for task in ours:
        given = [item for item in task.annotations if item.choices and not item.was_cancelled]
        if given:
            last, name = max(given, key=lambda item: item.decided), task.data["correction"]
            decisions[name] = _to_decision(last, name)
    return decisions, len(tasks) - len(ours)


def _is_ours(data: Mapping[str, Any]) -> bool:
    return re.fullmatch("[0-9a-f]{32}", str(data.get("correction"))) is not None


def _to_decision(annotation: _Annotation, name: str) -> Decision:
    person = annotation.completed_by
    who = person.get("email") if isinstance(person, dict) else person
    try:
        [[choice]] = annotation.choices
        symbol = None if choice == REJECT else choice
        reviewer = f"Label Studio {who}"[:64]
        return Decision(symbol=symbol, reviewer=reviewer, decided=annotation.decided)
    except (TypeError, ValueError) as error:
        raise CorrectionError(
            f"Expected one choice, a symbol or '{REJECT}', as the annotation of {name}, got "
            f"{annotation.choices!r}."
        ) from error
