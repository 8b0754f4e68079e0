"""Which parts of a symbol an answer rests on, by trial.

That is occlusion (Zeiler and Fergus 2014, section 4.2).

A patch of the drawing is covered with the page's colour, and the model asked again: where the
probability of its answer falls, it needed what was there. Any model can be asked so.

Shapes: H x W pixels; the grid has G x G cells.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from bukva.serving.pixels import Grey, decode, encode
from bukva.serving.schemas import Box, Recognition

CELLS = 8
_PATCH_CELLS = 2.5  # a smaller one leaves enough of a breve or a hook to know it by
_LONGEST_PX = 400
_INK_FROM = 48  # of 255, away from the page's colour


@dataclass(frozen=True)
class Covered:
    """Copies of a page, each with another patch covered; row by row.

    Attributes:
        images: PNG files, `CELLS` x `CELLS` of them; None where there was no ink to cover.
        box: What of the page the grid lies on: its ink.
    """

    images: list[bytes | None]
    box: Box


def cover(image: bytes) -> Covered:
    """Return an image with each patch of its ink covered in turn.

    Raises:
        RequestError: If it cannot be decoded.
    """
    grey_HW = _shrink(decode(image))
    page = np.median(np.concatenate([grey_HW[[0, -1]].ravel(), grey_HW[:, [0, -1]].ravel()]))
    is_ink_HW = np.abs(grey_HW.astype(np.float32) - page) >= _INK_FROM
    rows, columns = np.flatnonzero(is_ink_HW.any(1)), np.flatnonzero(is_ink_HW.any(0))
    if not len(rows):
        return Covered([None] * CELLS**2, Box(left=0, top=0, width=1, height=1))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    images = [
        _fill(grey_HW, y, x, int(page)) if is_ink_HW[y, x].any() else None
        for y in _patches(top, bottom)
        for x in _patches(left, right)
    ]
    height, width = grey_HW.shape
    box = Box(
        left=left / width,
        top=top / height,
        width=(right - left) / width,
        height=(bottom - top) / height,
    )
    return Covered(images, box)


def _patches(start: int, stop: int) -> list[slice]:
    cell = (stop - start) / CELLS
    reach = cell * _PATCH_CELLS / 2
    middles = start + cell * (np.arange(CELLS) + 0.5)
    return [slice(max(0, round(m - reach)), max(1, round(m + reach))) for m in middles]


def _shrink(grey_HW: Grey) -> Grey:
    """Return a large page smaller: it is encoded once for each patch."""
    page = Image.fromarray(grey_HW)
    page.thumbnail((_LONGEST_PX, _LONGEST_PX))
    return np.asarray(page)


def _fill(grey_HW: Grey, rows: slice, columns: slice, value: int) -> bytes:
    covered_HW = grey_HW.copy()
    covered_HW[rows, columns] = value
    return encode(covered_HW, compress_level=1)


def weigh(
    recognition: Recognition, covered: Covered, rows: Sequence[Mapping[str, Any]]
) -> list[list[float]]:
    """Return by how much covering each cell lowers the probability of the label, 0..1.

    Args:
        recognition: What the whole image was read as, or would be if it showed a symbol.
        covered: What the model was asked with.
        rows: What it answered, one row for each image that is not None.
    """
    label = recognition.alternatives[0].symbol.lower()
    whole = _probability(label, [each.model_dump() for each in recognition.alternatives])
    answers = iter(rows)
    falls = [
        0.0 if image is None else max(0.0, whole - _probability(label, _named(next(answers))))
        for image in covered.images
    ]
    return [falls[start : start + CELLS] for start in range(0, CELLS**2, CELLS)]


def _named(row: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the alternatives of an answer: none where the model refused the image."""
    return row.get("alternatives") or ()


def _probability(label: str, alternatives: Sequence[Mapping[str, Any]]) -> float:
    """Return the probability of a label: 0 if it is not among the best."""
    return sum(
        float(each["probability"]) for each in alternatives if each["symbol"].lower() == label
    )
