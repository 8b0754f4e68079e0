"""Sheets of many small images, painted on one canvas.

Shapes: N samples, H = W = 28 pixels.
"""

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from bukva.charset import DIGITS, LETTERS, NO_SYMBOL, to_symbol
from bukva.data.samples import UInt8Array
from bukva.data.scratch_table import iterate_blocks
from bukva.errors import TableError
from bukva.evaluation.figures import style
from bukva.evaluation.predictions import require_columns

SYMBOL_ORDER: Final = (
    *DIGITS,
    *(form for low in LETTERS for form in (low, low.upper(), low.upper() + low)),
    NO_SYMBOL,
)
"""Digits, each letter in lower case, upper case, and both for a case that is unknown, then ∅."""

_TILES_PER_ROW: Final = 12


def require_images(images_NHW: UInt8Array, table: pd.DataFrame) -> None:
    """Refuse images that are not, row by row, those of a table of samples.

    Raises:
        TableError: If columns are missing, or images and rows differ in number.
    """
    require_columns(table, ("corpus", "label", "is_uppercase"))
    if len(images_NHW) != len(table):
        message = f"Expected an image for each of {len(table)} rows, got {len(images_NHW)}."
        raise TableError(message)


def case_of(is_uppercase: pd.Series) -> pd.Series:
    """Return True, False, or None as objects, whatever the dtype of the column."""
    cases = is_uppercase.astype("boolean").astype(object)
    return cases.where(cases.notna(), None)


def symbols_as_written(table: pd.DataFrame) -> NDArray[np.str_]:
    """Return symbols as written; a letter of unknown case in both: `Аа`."""
    case = case_of(table["is_uppercase"])
    pairs = zip(table["label"], case, strict=True)
    return np.array([_as_written(label, is_upper) for label, is_upper in pairs], dtype=np.str_)


def _as_written(label: str, is_upper: bool | None) -> str:
    if is_upper is None and label.isalpha():
        return label.upper() + label
    return label if label == NO_SYMBOL else to_symbol(label, is_upper)


def thin_out(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return what `choose_samples` may choose: a few random samples of each symbol and corpus.

    Returns:
        `corpus`, `label` and `is_uppercase`, and as index the number of the row.
    """
    symbols = table[["corpus", "label", "is_uppercase"]].reset_index(drop=True)
    return pd.concat([_draw_some(block, rng) for block in iterate_blocks(symbols)])


def _draw_some(symbols: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    shuffled = symbols.iloc[rng.permutation(len(symbols))]
    return shuffled.groupby(list(symbols), dropna=False).head(_TILES_PER_ROW)


def choose_samples(
    corpus: pd.Series, symbol: NDArray[np.str_], rng: np.random.Generator
) -> dict[str, list[int]]:
    """Return row numbers for each symbol, evenly from its corpora, corpus by corpus."""
    order = rng.permutation(len(corpus))
    shuffled = pd.DataFrame(
        {"row": order, "symbol": symbol[order], "corpus": corpus.to_numpy()[order]}
    )
    chosen = {}
    for name, samples in shuffled.groupby("symbol"):
        by_corpus = samples.groupby("corpus")["row"]
        chosen[str(name)] = [
            int(row) for _, rows in by_corpus for row in rows[: _TILES_PER_ROW // by_corpus.ngroups]
        ]
    return chosen


def draw_tiles(
    axes: Axes, names: list[str], tiles: list[list[tuple[UInt8Array, str]]], rows: int
) -> None:
    """Paint all tiles on one canvas: thousands of axes would take minutes."""
    side = 28
    canvas = np.ones((rows * side, _TILES_PER_ROW * side, 3))
    for row, samples in enumerate(tiles):
        for column, (image_HW, colour) in enumerate(samples):
            ink_HW1 = image_HW[..., None] / 255
            tile = 1 - ink_HW1 * (1 - np.array(to_rgb(colour)))
            canvas[row * side : (row + 1) * side, column * side : (column + 1) * side] = tile
    axes.imshow(canvas, interpolation="lanczos")
    axes.set_yticks(side * (np.arange(len(names)) + 0.5), names, size=12)
    axes.set_xticks([])
    for row in range(1, len(names)):
        axes.axhline(row * side, color=style.GROUND, linewidth=0.8)
    style.hide_frame(axes)
