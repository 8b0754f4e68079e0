"""Stored corrections as drawings in a table, and the corpus `feedback` as samples.

Shapes: N drawings, H x W pixels.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from bukva.core.arrays import UInt8Array
from bukva.core.corrections import FEEDBACK
from bukva.core.samples import RawSample
from bukva.errors import CharsetError, CorpusMissingError, CorrectionError, ImageError
from bukva.tasks.glyph import charset
from bukva.tasks.glyph.collection import process_sample
from bukva.tasks.glyph.correction import Correction
from bukva.tasks.glyph.feedback.decisions import Decision, Decisions
from bukva.tasks.glyph.preprocessing import Preprocessing

CORPUS_COLUMNS: Final = ("name", "label", "is_uppercase", "has_page", "image")
"""Of the corpus as it is stored: one row a drawing, `image` the bytes of a PNG or WebP file."""

_COLUMNS: Final = (
    "sample_id", "corpus", "name", "label", "is_uppercase", "sha256",
    "rel_height", "rel_width", "rel_center_x", "rel_center_y",
    "created", "client", "given", "answer", "is_reviewed", "is_rejected", "has_page",
    "image",
)  # fmt: skip
_LONGEST_REASON: Final = 300

Unusable = list[dict[str, str]]
"""`file` and `reason` of each file that is not learnt from."""


class StoredCorrections(NamedTuple):
    """What the service has stored, and the files beside it that are something else."""

    corrections: list[Correction]
    unusable: Unusable


class Drawings(NamedTuple):
    """Corrections whose images can be used.

    Attributes:
        table: One row a drawing, the oldest first: what a sample table says of it, when and by
            whom it was `given` as which symbol, what the service had answered, whether it was
            reviewed and rejected, and its `image`. The label is the reviewer's, if there is one.
        images_NHW: uint8 `(N, 28, 28)`, row-aligned with the table.
        unusable: Files that are no corrections, and corrections whose images cannot be used.
    """

    table: pd.DataFrame
    images_NHW: UInt8Array
    unusable: Unusable


def collect_drawings(stored: StoredCorrections, decisions: Decisions) -> Drawings:
    """Decode and preprocess the images of corrections; a bad one harms no other."""
    rows: list[dict[str, Any]] = []
    images: list[UInt8Array] = []
    unusable = list(stored.unusable)
    for correction in sorted(stored.corrections, key=lambda item: (item.created, item.id)):
        try:
            row, image_HW = _process(correction, decisions.get(correction.id))
        except (CorrectionError, CharsetError, ImageError) as error:
            unusable.append(describe_unusable(f"{correction.id}.json", error))
            continue
        rows.append(row)
        images.append(image_HW)
    table = pd.DataFrame(rows, columns=list(_COLUMNS)).astype(
        {"is_uppercase": "boolean", "is_reviewed": bool, "is_rejected": bool, "has_page": bool}
    )
    frame = (Preprocessing().frame_px,) * 2
    images_NHW = np.stack(images) if images else np.zeros((0, *frame), dtype=np.uint8)
    return Drawings(table, images_NHW, unusable)


def describe_unusable(file: str, error: Exception) -> dict[str, str]:
    """Return the entry of a file that cannot be used; what an error quotes is cut short."""
    return {"file": file, "reason": str(error)[:_LONGEST_REASON]}


def _process(
    correction: Correction, decision: Decision | None
) -> tuple[dict[str, Any], UInt8Array]:
    symbol = (decision and decision.symbol) or correction.symbol
    label, is_uppercase = charset.from_symbol(symbol)
    image = correction.read_image()
    # Without a source it is a drawing: of those from before there were sources, nearly all are.
    has_page = correction.source != "photo"
    sample = RawSample(correction.id, image, label, is_uppercase, has_page=has_page)
    row, image_HW, _ = process_sample(FEEDBACK, sample)
    facts = {
        "created": correction.created.isoformat(),
        "client": correction.client,
        "given": correction.symbol,
        "answer": correction.answer,
        "is_reviewed": decision is not None,
        "is_rejected": decision is not None and decision.symbol is None,
        "has_page": has_page,
        "image": image,
    }
    return row | facts, image_HW


def read_feedback(corpus: pd.DataFrame) -> Iterator[RawSample]:
    """Yield the samples of the stored corpus; all of them are to be trained on.

    Raises:
        CorpusMissingError: If it holds none.
    """
    if corpus.empty:
        raise CorpusMissingError(
            "Expected drawings in the corpus feedback, it holds none: there were no corrections to "
            f"learn from. Take {FEEDBACK} out of `corpora` in conf/<env>/globals.yml until there "
            "are; data/08_reporting/feedback_report.json says what became of each."
        )
    for row in corpus.to_dict(orient="records"):
        case = None if pd.isna(row["is_uppercase"]) else bool(row["is_uppercase"])
        # One that was stored before has no such column.
        has_page = bool(row.get("has_page", True))
        yield RawSample(
            row["name"], row["image"], row["label"], case, split="train", has_page=has_page
        )
