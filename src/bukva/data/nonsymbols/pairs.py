"""Two symbols on one page, put together from framed samples.

Shapes: N samples, H x W pixels, S side of the page.
"""

from collections.abc import Mapping
from itertools import product
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from bukva.data.nonsymbols.kinds import Variation
from bukva.data.samples import UInt8Array
from bukva.data.texts import number_texts

UNPAIRED: Final = frozenset("1і")
"""Bare strokes, left out: with a neighbour they may make one symbol (і о: ю, 1 3: В, і с: к)."""
MERGING: Final = frozenset("илпгс")
"""Letters not paired with themselves: side by side they look like ш, м, т and ω."""

_HEIGHT_SHARE: Final = (0.25, 0.42)
"""Height of a symbol as a share of the page: two of them fit side by side."""
_INK_THRESHOLD: Final = 40

Rows: TypeAlias = Mapping[str, Mapping[str, NDArray[np.int64]]]


def group_rows(table: pd.DataFrame, is_used: pd.Series) -> Rows:
    """Return the numbers of the used rows that may be paired, by corpus and label."""
    corpora, labels = sorted(table["corpus"].unique()), sorted(table["label"].unique())
    corpus_N, label_N = number_texts(table["corpus"], corpora), number_texts(table["label"], labels)
    grouped: dict[str, dict[str, NDArray[np.int64]]] = {}
    for (corpus, name), (label, text) in product(enumerate(corpora), enumerate(labels)):
        rows = np.flatnonzero(is_used & (corpus_N == corpus) & (label_N == label))
        if text not in UNPAIRED and len(rows):
            grouped.setdefault(name, {})[text] = rows
    return grouped


def choose_pair(rows: Rows, rng: np.random.Generator) -> tuple[int, int]:
    """Return the rows of two samples of one corpus; corpora and labels are drawn evenly."""
    of_corpus = rows[sorted(rows)[rng.integers(len(rows))]]
    labels = sorted(of_corpus)
    first = labels[rng.integers(len(labels))]
    partners = [label for label in labels if label != first or first not in MERGING] or labels
    second = partners[rng.integers(len(partners))]
    return int(rng.choice(of_corpus[first])), int(rng.choice(of_corpus[second]))


def draw_pair(
    first_HW: UInt8Array, second_HW: UInt8Array, rng: np.random.Generator, variation: Variation
) -> UInt8Array:
    """Return a page, paper 255, with two framed symbols side by side.

    Args:
        first_HW: uint8, ink high on zero, as framed by `bukva.data.preprocessing`.
        second_HW: The symbol to its right, likewise.
        rng: Draws sizes and places.
        variation: Ranges of the page, the gap and the lift.
    """
    side_px = int(rng.integers(*variation.page_px))
    height_px = side_px * float(rng.uniform(*_HEIGHT_SHARE))
    left_HW, right_HW = (
        _enlarge(image_HW, height_px * float(np.exp(rng.uniform(-0.2, 0.2))))
        for image_HW in (first_HW, second_HW)
    )
    gap_px = round(height_px * float(rng.uniform(*variation.gap)))
    lift_px = round(height_px * float(rng.uniform(-variation.lift, variation.lift)))
    ink_HW = _side_by_side(left_HW, right_HW, gap_px, lift_px)
    return _on_page(ink_HW, side_px, rng)


def _enlarge(image_HW: UInt8Array, longest_px: float) -> UInt8Array:
    """Cut the ink out of its frame and bring its longer side to a length."""
    is_ink_HW = image_HW > _INK_THRESHOLD
    rows, columns = np.flatnonzero(is_ink_HW.any(1)), np.flatnonzero(is_ink_HW.any(0))
    cut = Image.fromarray(image_HW[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    scale = longest_px / max(cut.size)
    width, height = (max(1, round(length * scale)) for length in cut.size)
    return np.asarray(cut.resize((width, height), Image.Resampling.BICUBIC))


def _side_by_side(
    left_HW: UInt8Array, right_HW: UInt8Array, gap_px: int, lift_px: int
) -> UInt8Array:
    """Return both on one canvas, standing on one line but for the lift."""
    height = max(len(left_HW) + max(-lift_px, 0), len(right_HW) + max(lift_px, 0))
    width = left_HW.shape[1] + gap_px + right_HW.shape[1]
    canvas_HW = np.zeros((height, width), dtype=np.uint8)
    left_foot, right_foot = height - max(-lift_px, 0), height - max(lift_px, 0)
    canvas_HW[left_foot - len(left_HW) : left_foot, : left_HW.shape[1]] = left_HW
    canvas_HW[right_foot - len(right_HW) : right_foot, -right_HW.shape[1] :] = right_HW
    return canvas_HW


def _on_page(ink_HW: UInt8Array, side_px: int, rng: np.random.Generator) -> UInt8Array:
    """Put ink somewhere on a white page, a little larger if it does not fit."""
    side_px = max(side_px, max(ink_HW.shape) + 8)
    height, width = ink_HW.shape
    top, left = (int(rng.integers(4, side_px - length - 3)) for length in (height, width))
    page_SS = np.full((side_px, side_px), 255, dtype=np.uint8)
    page_SS[top : top + height, left : left + width] -= ink_HW
    return page_SS
