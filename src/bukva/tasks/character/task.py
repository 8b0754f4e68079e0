"""The task `character`, as templates, registry and promotion know it."""

import base64
import json
from typing import Final

import pandas as pd

from bukva.core.arrays import UInt8Array
from bukva.core.task import Task
from bukva.errors import ParityError
from bukva.tasks.character.evaluation import compare, make_predictions
from bukva.tasks.character.recogniser import Answer, CharacterRecogniser, Question, to_png


def write_golden(recogniser: CharacterRecogniser, images_NHW: UInt8Array) -> bytes:
    """Return images with the answers that a recogniser gives, to check them wherever it is."""
    images = [to_png(image_HW) for image_HW in images_NHW]
    rows = [
        {"image": base64.b64encode(image).decode(), "character": answer.character}
        for image, answer in zip(images, recogniser.answer(images), strict=True)
    ]
    return json.dumps(rows).encode()


def check_golden(recogniser: CharacterRecogniser, content: bytes) -> None:
    """Return if a recogniser answers its golden samples as it did when it was packaged.

    Raises:
        ParityError: If not.
    """
    rows = json.loads(content)
    answers = recogniser.answer([base64.b64decode(row["image"]) for row in rows])
    pairs = zip(rows, answers, strict=True)
    if others := sum(row["character"] != answer.character for row, answer in pairs):
        message = f"Expected the answers of {len(rows)} golden samples, got {others} others."
        raise ParityError(f"{message} The files of the model do not belong together.")


def predict(
    recogniser: CharacterRecogniser, tests: pd.DataFrame, images_NHW: UInt8Array
) -> pd.DataFrame:
    """Return the samples with what a recogniser says of them."""
    return make_predictions(tests, recogniser.probabilities(images_NHW), recogniser.labels)


TASK: Final = Task(
    name="character",
    model_name="bukva-character",
    question=Question,
    answer=Answer,
    load=CharacterRecogniser,
    check_golden=check_golden,
    is_tested=lambda table: table["label"].notna(),
    predict=predict,
    is_comparable=lambda one, other: set(one.labels) == set(other.labels),
    compare=compare,
    guards={"accuracy": "accuracy"},
    embedded_corpora={"digits"},
)
