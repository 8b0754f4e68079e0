"""Adds what is no symbol to the sample table.

Shapes: N samples, H x W pixels.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import chain, product
from typing import Final, NamedTuple, TypeAlias, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from bukva.core.arrays import UInt8Array
from bukva.core.samples import RawSample, Split
from bukva.core.scratch import join_rows, take_rows
from bukva.core.scratch_table import gather_blocks, iterate_blocks, number_texts
from bukva.tasks.glyph.charset import NO_SYMBOL
from bukva.tasks.glyph.collection import collect_samples
from bukva.tasks.glyph.nonsymbols.drawing import (
    CORPUS,
    KINDS,
    TESTED,
    TRAINED,
    UPRIGHT,
    Variation,
    draw_dot,
    draw_latin,
    draw_line,
    draw_noise,
    draw_photo,
    draw_scribble,
    draw_upright,
)
from bukva.tasks.glyph.table import is_symbol

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
        first_HW: uint8, ink high on zero, as framed by `bukva.tasks.glyph.preprocessing`.
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


Draw: TypeAlias = Callable[[np.random.Generator, Variation], UInt8Array]

_DRAW: Final[Mapping[str, Draw]] = {
    "dot": draw_dot,
    "line": draw_line,
    "scribble": draw_scribble,
    "noise": draw_noise,
    "photo": draw_photo,
    "latin": draw_latin,
    UPRIGHT: draw_upright,
}
_UNKNOWN_PAGE_SHARE: Final = 0.5
"""Share without a known page: few digits have one, and its presence must not tell a symbol."""


class Counts(NamedTuple):
    """How many samples of each kind a split gets."""

    train: int
    valid: int
    test: int


def split_count(count: int, valid_share: float, test_share: float) -> Counts:
    """Share out the samples of one kind: one at least to each split, or none at all."""
    if not count:
        return Counts(0, 0, 0)
    valid, test = (max(1, round(count * share)) for share in (valid_share, test_share))
    return Counts(count - valid - test, valid, test)


def add_nonsymbols(
    table: pd.DataFrame, images_NHW: UInt8Array, counts: Counts, seed: int
) -> tuple[pd.DataFrame, UInt8Array]:
    """Return a table of symbols and its images with pages of every kind that show none.

    Dots, lines, scribbles, noise, photographs and Latin letters are drawn; pairs are put together
    from samples of their own split. Rows of `table` that show no symbol already (Latin letters
    of EMNIST) become samples of the corpus, no more of a split than of any other kind.

    Args:
        table: One row a sample, with its split.
        images_NHW: uint8, framed by `bukva.tasks.glyph.preprocessing`, row-aligned with the table.
        counts: How many of each kind.
        seed: Decides every drawing.

    Returns:
        Table and images, the symbols first. Nothing is added where all counts are zero.
    """
    is_chosen = _choose_rows(table, counts)
    images_NHW = take_rows(images_NHW, is_chosen.to_numpy())
    blocks = iterate_blocks(table)
    table = gather_blocks(_rename_latin(block[is_chosen[block.index]]) for block in blocks)
    if not any(counts):
        return table, images_NHW
    read = partial(_draw_all, table, images_NHW, counts, seed)
    # A page of nothing but noise is refused before any network sees it: nothing is to be learnt.
    drawn = collect_samples({CORPUS: read}, {}, max_corrupt_share=0.5)
    rows = drawn.table.rename(columns={"own_split": "split"})[list(table.columns)]
    return (
        gather_blocks(chain(iterate_blocks(table), iterate_blocks(rows))),
        join_rows([images_NHW, drawn.images_NHW]),
    )


def _choose_rows(table: pd.DataFrame, counts: Counts) -> pd.Series:
    """Return whether to keep a row: every symbol, and of what is none the first of each split."""
    split = table["split"][~is_symbol(table)]
    is_over = split.groupby(split).cumcount().ge(split.map(counts._asdict()).astype(int))
    return ~is_over.reindex(table.index, fill_value=False)


def _rename_latin(table: pd.DataFrame) -> pd.DataFrame:
    """Give rows that show no symbol the names of this corpus."""
    is_named = is_symbol(table)
    name = table["name"].where(is_named, "latin-" + table["corpus"] + "-" + table["name"])
    return table.assign(
        corpus=table["corpus"].where(is_named, CORPUS),
        name=name,
        sample_id=table["sample_id"].where(is_named, CORPUS + "/" + name),
    )


def _draw_all(
    table: pd.DataFrame, images_NHW: UInt8Array, counts: Counts, seed: int
) -> Iterator[RawSample]:
    for kind, draw in _DRAW.items():
        for index, split, rng in _plan(kind, counts, seed):
            variation = TESTED if split == "test" else TRAINED
            yield _to_sample(kind, index, split, draw(rng, variation), rng)
    yield from _pair_all(table, images_NHW, counts, seed)


def _pair_all(
    table: pd.DataFrame, images_NHW: UInt8Array, counts: Counts, seed: int
) -> Iterator[RawSample]:
    rows = {
        split: group_rows(table, table["split"].eq(split) & is_symbol(table))
        for split in counts._fields
    }
    for index, split, rng in _plan("pair", counts, seed):
        if not rows[split]:
            continue
        first, second = choose_pair(rows[split], rng)
        variation = TESTED if split == "test" else TRAINED
        page_SS = draw_pair(images_NHW[first], images_NHW[second], rng, variation)
        yield _to_sample("pair", index, split, page_SS, rng)


def _plan(kind: str, counts: Counts, seed: int) -> Iterator[tuple[int, Split, np.random.Generator]]:
    """Yield number, split and generator of each sample of a kind; each has a generator alone."""
    place = (*KINDS, UPRIGHT).index(kind)
    # What is not taught begins at its tests.
    wanted = counts if kind != UPRIGHT else Counts(0, 0, counts.test)
    splits = (split for split in get_args(Split) for _ in range(wanted._asdict()[split]))
    for index, split in enumerate(splits):
        sequence = np.random.SeedSequence(seed, spawn_key=(place, index))
        yield index, split, np.random.default_rng(sequence)


def _to_sample(
    kind: str, index: int, split: Split, page_SS: UInt8Array, rng: np.random.Generator
) -> RawSample:
    has_page = split == "test" or rng.random() >= _UNKNOWN_PAGE_SHARE
    return RawSample(
        f"{kind}-{index:05d}", page_SS, NO_SYMBOL, split=split, has_page=bool(has_page)
    )
