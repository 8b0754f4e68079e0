"""Which parts of a symbol an answer rests on, found by trial.

That is occlusion (Zeiler and Fergus 2014, section 4.2): a patch of the symbol is covered with the
colour of the paper around it, and the model asked again. Where the probability of its answer falls,
it needed what was there. Any model can be asked so.

What is ink is what the recogniser took for it, so that a photograph is covered as a drawing is.

Shapes: H x W pixels, perhaps with colours; the grid has G x G cells.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bukva.core.imaging.decoding import decode_image
from bukva.serving.request_body import encode
from bukva.tasks.glyph.answer import Answer, Box, Recognition, Source

CELLS: Final = 8
_PATCH_CELLS: Final = 2.5  # a smaller one leaves enough of a breve or a hook to know it by
_LONGEST_PX: Final = 400
_INK_FROM: Final = 96
"""Of 255 levels of the frame."""
_LONGEST_AROUND_PX: Final = 240
_AROUND_FRAME: Final = 0.5
_AROUND: Final = 0.12
"""Of the image's side: how far around is looked for paper."""
_LEAST_SHARE: Final = 0.02
_SAME_LEVELS: Final = 8

Pixels: TypeAlias = NDArray[np.uint8]


@dataclass(frozen=True)
class Covered:
    """Copies of an image, or of what lies around its symbol, each with another patch covered.

    Attributes:
        images: PNG files, `CELLS` x `CELLS` of them, row by row; None where there was no ink.
        box: What of the image the grid lies on: its ink.
        source: As what they are to be read, so that size and place mean what they did.
    """

    images: list[bytes | None]
    box: Box
    source: Source


class _View(NamedTuple):
    """A part of an image, and where the frame lies on it, in its pixels."""

    pixels: Pixels
    frame: Box
    part: Box


def cover(image: bytes, answer: Answer) -> Covered:
    """Return copies of an image with each patch of its ink covered in turn.

    Args:
        image: A file that the recogniser could read.
        answer: What it said, with the frame and its box.
    """
    has_page = answer.measures is not None and answer.measures["height"] is not None
    source: Source = "drawing" if has_page else "photo"
    if answer.frame is None or answer.frame_box is None:
        return Covered([None] * CELLS**2, Box(left=0, top=0, width=1, height=1), source)
    view = _look(decode_image(image), Box(**answer.frame_box), is_whole=has_page)
    ink_HW = _lay_frame(answer.frame, view)
    is_ink_HW = ink_HW > _INK_FROM
    rows, columns = np.flatnonzero(is_ink_HW.any(1)), np.flatnonzero(is_ink_HW.any(0))
    if not len(rows):
        return Covered([None] * CELLS**2, Box(**answer.frame_box), source)
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    paper = _without_ink(view.pixels, cv2.dilate(ink_HW, np.ones((3, 3), np.uint8)) == 0)
    images = [
        _fill(view.pixels, paper, y, x) if is_ink_HW[y, x].any() else None
        for y in _patches(top, bottom)
        for x in _patches(left, right)
    ]
    height, width = ink_HW.shape
    across, down = view.part.width / width, view.part.height / height
    box = Box(
        left=view.part.left + left * across,
        top=view.part.top + top * down,
        width=(right - left) * across,
        height=(bottom - top) * down,
    )
    return Covered(images, box, source)


def _look(pixels: Pixels, frame: Box, *, is_whole: bool) -> _View:
    """Return an image, or if its size means nothing what lies around the frame, made smaller."""
    height, width = pixels.shape[:2]
    top, bottom, left, right = 0, height, 0, width
    if not is_whole:
        reach = _AROUND_FRAME * max(frame.width * width, frame.height * height)
        top, bottom = _around(frame.top * height, frame.height * height, reach, height)
        left, right = _around(frame.left * width, frame.width * width, reach, width)
    shrunk = Image.fromarray(pixels[top:bottom, left:right])
    # It is encoded, and read, once for each patch.
    shrunk.thumbnail((_LONGEST_PX if is_whole else _LONGEST_AROUND_PX,) * 2)
    across, down = shrunk.width / (right - left), shrunk.height / (bottom - top)
    return _View(
        np.asarray(shrunk),
        Box(
            left=(frame.left * width - left) * across,
            top=(frame.top * height - top) * down,
            width=frame.width * width * across,
            height=frame.height * height * down,
        ),
        Box(
            left=left / width,
            top=top / height,
            width=(right - left) / width,
            height=(bottom - top) / height,
        ),
    )


def _around(start: float, length: float, reach: float, side: int) -> tuple[int, int]:
    return max(0, int(start - reach)), min(side, int(np.ceil(start + length + reach)))


def _lay_frame(frame: str, view: _View) -> Pixels:
    """Return the ink of a frame where it lies on a view, `(H, W)`."""
    tones = np.frombuffer(base64.b64decode(frame), dtype=np.uint8)
    side = round(len(tones) ** 0.5)
    across, down = view.frame.width / side, view.frame.height / side
    # A pixel's middle is half a pixel from its corner, there and here.
    matrix = np.array([
        [across, 0, view.frame.left + (across - 1) / 2],
        [0, down, view.frame.top + (down - 1) / 2],
    ])  # fmt: skip
    height, width = view.pixels.shape[:2]
    return np.asarray(cv2.warpAffine(tones.reshape(side, side), matrix, (width, height)))


def _patches(start: int, stop: int) -> list[slice]:
    cell = (stop - start) / CELLS
    reach = cell * _PATCH_CELLS / 2
    middles = start + cell * (np.arange(CELLS) + 0.5)
    return [slice(max(0, round(m - reach)), max(1, round(m + reach))) for m in middles]


def _fill(pixels: Pixels, paper: Pixels, rows: slice, columns: slice) -> bytes | None:
    patch = paper[rows, columns]
    if cv2.absdiff(pixels[rows, columns], patch).max() <= _SAME_LEVELS:
        return None
    covered = pixels.copy()
    covered[rows, columns] = patch
    return encode(covered, compress_level=1)


def _without_ink(pixels: Pixels, is_paper_HW: NDArray[np.bool_]) -> Pixels:
    """Return an image of paper alone: at each place the mean of what is paper around it."""
    reach = 2 * round(_AROUND * max(is_paper_HW.shape)) + 1
    share_HW = cv2.boxFilter(is_paper_HW.astype(np.float32), -1, (reach, reach))
    planes = []
    for plane_HW in cv2.split(pixels):
        blank_HW = np.where(is_paper_HW, plane_HW, 0).astype(np.float32)
        mean = float(blank_HW.sum() / max(1, is_paper_HW.sum()))
        around_HW = cv2.boxFilter(blank_HW, -1, (reach, reach)) / np.maximum(share_HW, 1e-6)
        planes.append(np.where(share_HW > _LEAST_SHARE, around_HW, mean))
    paper_HWC = np.rint(np.stack(planes, axis=-1)).astype(np.uint8)
    return np.asarray(paper_HWC.reshape(pixels.shape))


def weigh(answer: Answer, covered: Covered, answers: Sequence[Answer]) -> list[list[float]]:
    """Return by how much covering each cell lowers the probability of the label, 0..1.

    Args:
        answer: What the model said of the whole image.
        covered: What the model was asked with.
        answers: What it said, for each image that is not None.
    """
    if answer.reading is None:
        return [[0.0] * CELLS] * CELLS
    label = answer.reading.alternatives[0].symbol.lower()
    whole = _probability(label, answer.reading)
    left = iter(answers)
    falls = [
        0.0 if image is None else max(0.0, whole - _probability(label, next(left).reading))
        for image in covered.images
    ]
    return [falls[start : start + CELLS] for start in range(0, CELLS**2, CELLS)]


def _probability(label: str, recognition: Recognition | None) -> float:
    """Return the probability of a label: 0 if it is not among the best, or nothing was read."""
    alternatives = recognition.alternatives if recognition else []
    return sum(each.probability for each in alternatives if each.symbol.lower() == label)
