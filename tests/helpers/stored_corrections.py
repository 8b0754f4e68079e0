"""Corrections as the service stores them, made by its own code."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from PIL import Image

from bukva.core.samples import RawSample
from bukva.serving.feedback_files import make_correction
from bukva.serving.schemas import FeedbackRequest, ServedModel
from bukva.tasks.glyph.charset import to_symbol
from bukva.tasks.glyph.correction import Correction

START = datetime(2026, 11, 1, 9, tzinfo=UTC)
MODEL = ServedModel(name="bukva-glyph", version="3", alias="prod")


def png(grey_HW: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(grey_HW).save(buffer, "PNG")
    return buffer.getvalue()


def correct(
    image: np.ndarray, symbol: str, place: int = 0, client: str | None = "key a", answer: str = "Г"
) -> Correction:
    """The correction of one drawing; `place` makes its id, and its hour."""
    request = FeedbackRequest(image="unused", symbol=symbol, answer=answer, consent=True)
    made = make_correction(f"key-of-number-{place:04d}", request, png(image), MODEL, client)
    return made.model_copy(update={"created": START + timedelta(hours=place)})


def correct_pages(
    pages: list[RawSample], client: str | None = "key a", first: int = 0
) -> list[Correction]:
    """A correction of each page, with the symbol that it shows."""
    return [
        correct(np.asarray(page.image), to_symbol(page.label, page.is_uppercase), place, client)
        for place, page in enumerate(pages, start=first)
    ]


def store(corrections: list[Correction], folder: Path, *, by_day: bool = False) -> None:
    """Write them as the service does, or as it delivers them."""
    for correction in corrections:
        path = folder / (correction.place if by_day else f"{correction.id}.json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(correction.write())
