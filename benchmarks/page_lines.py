"""Measures how high small letters and capitals must be on a page to be read as such.

python benchmarks/page_lines.py [--table data/03_primary/sample_table.parquet]

The notebook lines of the page to draw on (`src/bukva/serving/page/style.css`) stand where this says
that few are taken for the other case. Only validation samples are asked about: what people wrote,
letters whose small form is as high as an x, each at every height, as if it had been written larger
or smaller. The table is made by `kedro run --pipeline=data_processing --env=real`.
"""

import argparse
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from bukva.cli.released.manifest import RELEASED
from bukva.core.arrays import UInt8Array
from bukva.core.evaluation.markdown import format_table
from bukva.core.imaging.ink import measure_ink
from bukva.tasks.glyph.preprocessing import Glyph
from bukva.tasks.glyph.recogniser import Recogniser

X_HIGH: Final = tuple("агежзиклмнопстхчшьюяє")
BASELINE: Final = 0.73
HEIGHTS: Final = (0.20, 0.24, 0.28, 0.32, 0.38, 0.42, 0.46, 0.50, 0.54, 0.58)
_AT_MOST: Final = 300


def main() -> None:
    """Print the share of letters that are read as capitals, by corpus, case and height."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    default = Path("data/03_primary/sample_table.parquet")
    parser.add_argument("--table", type=Path, default=default)
    path = parser.parse_args().table
    images_NHW = np.load(path.with_name("sample_images.npy"), mmap_mode="r")
    recogniser = Recogniser((RELEASED / "model.onnx").read_bytes())
    groups = choose_letters(pd.read_parquet(path))
    head = ["height, share of the page", *map(describe_group, groups)]
    rows = [
        [f"{height:.2f}"]
        + [f"{share_of_capitals(recogniser, group, images_NHW, height):.0%}" for group in groups]
        for height in HEIGHTS
    ]
    print(format_table(head, rows))


def choose_letters(table: pd.DataFrame) -> list[pd.DataFrame]:
    """Return some validation samples of each corpus and case of what people wrote."""
    is_chosen = table["split"].eq("valid") & table["label"].isin(X_HIGH)
    is_chosen &= table["is_uppercase"].notna() & table["corpus"].isin(["rukopys", "cyrillic_mnist"])
    grouped = table[is_chosen].groupby(["corpus", "is_uppercase"])
    return [rows.sample(min(len(rows), _AT_MOST), random_state=0) for _, rows in grouped]


def describe_group(rows: pd.DataFrame) -> str:
    """Which letters a column is about."""
    case = "capitals" if rows["is_uppercase"].iloc[0] else "small"
    return f"{rows['corpus'].iloc[0]}, {len(rows)} {case}: read as capitals"


def share_of_capitals(
    recogniser: Recogniser, rows: pd.DataFrame, images_NHW: UInt8Array, height: float
) -> float:
    """Return the share of those whose label is read rightly that are read as capitals."""
    answers = recogniser.answer(at_height(images_NHW[rows.index], height))
    symbols = pd.Series([best[0]["symbol"] for best in answers["alternatives"]], index=rows.index)
    is_right = symbols.str.lower().eq(rows["label"])
    return float(symbols[is_right].ne(rows["label"][is_right]).mean())


def at_height(images_NHW: UInt8Array, height: float) -> list[Glyph]:
    """Return glyphs as if each stood in the middle of a page's line, so high."""
    widths_N = np.minimum(1.0, height * measure_ink(images_NHW).aspect_N)
    pages_NF = np.array([[height, width, 0.5, BASELINE - height / 2] for width in widths_N])
    return [*map(Glyph, images_NHW, pages_NF.astype(np.float32))]


if __name__ == "__main__":
    main()
