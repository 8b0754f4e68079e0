"""Measures how many lines a second one core makes, set in fonts and in characters of corpora.

python benchmarks/line_synthesis.py [--lines 2000] [--folder data/03_primary/line]

Characters and sentences are those that `kedro run --pipeline=line.data_processing --env=real` left;
without them, the sentences that the project brings are set in fonts. Warmed up first: letters of a
font are drawn once in a process. Counted is the time of the core, which others may share.
"""

import argparse
import time
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from bukva.core.evaluation.markdown import format_table
from bukva.tasks.line.characters import Characters
from bukva.tasks.line.line_maker import LineMaker
from bukva.tasks.line.parameters import SynthesisParameters

FONTS = SynthesisParameters(empty=0.0, characters=0.0)
KINDS = {
    "as they are learnt from": SynthesisParameters(),
    "set in fonts": FONTS,
    "set in characters": SynthesisParameters(empty=0.0, characters=1.0),
    "says nothing": SynthesisParameters(empty=1.0),
    "set in fonts, not damaged": SynthesisParameters(empty=0.0, characters=0.0, strength=0.0),
}


def main() -> None:
    """Print lines a second, their width and length, for each kind of line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--lines", type=int, default=2000)
    parser.add_argument("--folder", type=Path, default=Path("data/03_primary/line"))
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    texts, characters = read_material(arguments.folder)
    rows = [
        [name, *measure(LineMaker(parameters, texts, characters), arguments.lines)]
        for name, parameters in KINDS.items()
        if parameters.characters < 1 or characters is not None
    ]
    print(format_table(["lines", "a second", "mean width, px", "mean length"], rows))


def read_material(folder: Path) -> tuple[pd.DataFrame | None, Characters | None]:
    """Return sentences and characters, where they were made."""
    if not (folder / "texts.parquet").exists():
        return None, None
    table = pd.read_parquet(folder / "character_table.parquet")
    images_NSS = np.load(folder / "character_images.npy")
    characters = Characters(table, images_NSS) if len(table) else None
    return pd.read_parquet(folder / "texts.parquet"), characters


def measure(maker: LineMaker, count: int) -> list[str]:
    """Return lines a second, their mean width and length."""
    rng = np.random.default_rng(1)
    maker.draw(count, rng)
    start = time.process_time()
    images, texts = maker.draw(count, rng)
    seconds = time.process_time() - start
    width = np.mean([ink_HW.shape[1] for ink_HW in images])
    return [f"{count / seconds:,.0f}", f"{width:.0f}", f"{np.mean([len(t) for t in texts]):.0f}"]


if __name__ == "__main__":
    main()
