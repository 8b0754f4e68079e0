"""Adds what is no symbol to the sample table.

Shapes: N samples, H x W pixels.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import chain
from typing import Final, NamedTuple, TypeAlias, get_args

import numpy as np
import pandas as pd

from bukva.charset import NO_SYMBOL
from bukva.data.collection import collect_samples
from bukva.data.columns import is_symbol
from bukva.data.nonsymbols.kinds import CORPUS, KINDS, TESTED, TRAINED, UPRIGHT, Variation
from bukva.data.nonsymbols.latin import draw_latin
from bukva.data.nonsymbols.pairs import choose_pair, draw_pair, group_rows
from bukva.data.nonsymbols.pen import draw_dot, draw_line, draw_scribble, draw_upright
from bukva.data.nonsymbols.textures import draw_noise, draw_photo
from bukva.data.samples import RawSample, Split, UInt8Array
from bukva.data.scratch import join_rows, take_rows
from bukva.data.scratch_table import gather_blocks, iterate_blocks

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
        images_NHW: uint8, framed by `bukva.data.preprocessing`, row-aligned with the table.
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
    # What is drawn is never empty: one unusable page is a fault of the program.
    drawn = collect_samples({CORPUS: read}, {}, max_corrupt_share=0.0)
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
