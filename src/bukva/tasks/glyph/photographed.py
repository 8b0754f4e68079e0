"""The corpus `photographs`: samples of the others set on paper and photographed, by a program.

Each is framed as any photograph is, so that a network learns what paper and camera leave of it.

Shapes: N samples, H x W pixels.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from bukva.core.arrays import UInt8Array
from bukva.core.corrections import FEEDBACK
from bukva.core.imaging.photographs import photograph_frames
from bukva.core.scratch import join_rows, take_rows
from bukva.core.scratch_table import gather_blocks, iterate_blocks
from bukva.errors import ImageError
from bukva.tasks.glyph.charset import NO_SYMBOL
from bukva.tasks.glyph.embedded import PHOTOGRAPHS
from bukva.tasks.glyph.preprocessing import PAGE_FEATURES, Glyph, preprocess_all

_NONSYMBOL_FACTOR: Final = 8
_EMPTY_SHARE: Final = 0.15
_AT_ONCE: Final = 256
_LEAST_LIKENESS: Final = 0.7
_BLUR_PX: Final = 1.6


def sources_of(table: pd.DataFrame) -> set[str]:
    """Return the corpora that the photographs of a table were made of."""
    return {name.partition("/")[0] for name in table.loc[table["corpus"].eq(PHOTOGRAPHS), "name"]}


def add_photographs(
    table: pd.DataFrame, images_NHW: UInt8Array, per_symbol: int, seed: int
) -> tuple[pd.DataFrame, UInt8Array]:
    """Return a table and its images with photographs of some of its samples.

    A photograph is of the split of its sample; one of which hardly anything of the symbol is left
    is left out. Of what shows no symbol there are more than of any
    symbol, some of empty sheets, and none to test on: they are not told by kind.

    Args:
        table: One row a sample, with its split.
        images_NHW: Frames, row-aligned with it.
        per_symbol: How many of each symbol and case, at most, over all splits; the corpora that
            have it come by turns.
        seed: Decides which samples, and how each is photographed.
    """
    if not per_symbol:
        return table, images_NHW
    rng = np.random.default_rng((seed, len(table)))
    chosen_M = _choose(table, per_symbol, rng)
    frames_MHW = take_rows(images_NHW, chosen_M)
    is_none_M = table["label"].iloc[chosen_M].eq(NO_SYMBOL).to_numpy()
    frames_MHW = np.array(frames_MHW)
    frames_MHW[is_none_M & (rng.random(len(chosen_M)) < _EMPTY_SHARE)] = 0
    rows, photographs = [], []
    for place, glyph in _photograph_all(frames_MHW, seed):
        if not is_none_M[place] and _likeness(frames_MHW[place], glyph.image_HW) < _LEAST_LIKENESS:
            continue  # nobody could read it, so that it would teach nothing but its label
        rows.append((chosen_M[place], *glyph.page_F))
        photographs.append(glyph.image_HW)
    if not rows:
        return table, images_NHW
    added = _describe(table, pd.DataFrame(rows, columns=["row", *PAGE_FEATURES]))
    joined = gather_blocks(block for part in (table, added) for block in iterate_blocks(part))
    return joined, join_rows([images_NHW, np.stack(photographs)])


def _likeness(first_HW: UInt8Array, second_HW: UInt8Array) -> float:
    """Return the cosine of two frames' pixels, blurred, as they may lie a pixel apart."""
    first, second = (
        cv2.GaussianBlur(frame_HW.astype(np.float32), (0, 0), _BLUR_PX).ravel()
        for frame_HW in (first_HW, second_HW)
    )
    return float(first @ second / (np.linalg.norm(first) * np.linalg.norm(second) + 1e-6))


def _choose(table: pd.DataFrame, per_symbol: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the numbers of the rows to photograph."""
    keys = pd.DataFrame({
        "symbol": table["label"] + table["is_uppercase"].astype("string").fillna("?"),
        "corpus": table["corpus"],
        "is_none": table["label"].eq(NO_SYMBOL),
        "drawn": rng.random(len(table)),
    })  # fmt: skip
    keys = keys[table["corpus"].ne(FEEDBACK) & ~(keys["is_none"] & table["split"].eq("test"))]
    keys = keys.sort_values("drawn")
    # The first of each corpus, then the second of each, ...
    keys["turn"] = keys.groupby(["symbol", "corpus"]).cumcount() + keys["drawn"] / 2
    place = keys.sort_values("turn").groupby("symbol").cumcount()
    wanted = np.where(keys.loc[place.index, "is_none"], _NONSYMBOL_FACTOR, 1) * per_symbol
    chosen_M: NDArray[np.int64] = np.sort(place.index[place.to_numpy() < wanted].to_numpy())
    return chosen_M


def _photograph_all(frames_MHW: UInt8Array, seed: int) -> Iterator[tuple[int, Glyph]]:
    """Yield the number of each frame and what is seen of it; of some nothing is."""
    neighbours_MHW = frames_MHW[frames_MHW.any(axis=(1, 2))]

    def photograph(start: int) -> list[tuple[int, Glyph]]:
        places = range(start, min(start + _AT_ONCE, len(frames_MHW)))
        frames_NHW = frames_MHW[start : places.stop]
        pictures = photograph_frames(frames_NHW, seed, places, neighbours_MHW)
        seen = preprocess_all(pictures, has_page=None)
        return [
            (place, glyph)
            for place, glyph in zip(places, seen, strict=True)
            if not isinstance(glyph, ImageError)
        ]

    # Threads: most of the time is spent in OpenCV, which lets others run meanwhile.
    starts = range(0, len(frames_MHW), _AT_ONCE)
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        parts = threads.map(photograph, starts)
        for seen in tqdm(parts, desc="photographing", unit=f"x{_AT_ONCE}", total=len(starts)):
            yield from seen


def _describe(table: pd.DataFrame, seen: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of photographs: those of what they show, under names of their own."""
    rows = table.iloc[seen["row"].to_numpy()].reset_index(drop=True)
    changed: dict[str, Any] = {
        "name": rows["sample_id"],
        "sample_id": PHOTOGRAPHS + "/" + rows["sample_id"],
        "corpus": PHOTOGRAPHS,
        "is_published": False,
    }
    return rows.assign(**changed, **{name: seen[name] for name in PAGE_FEATURES})[table.columns]
