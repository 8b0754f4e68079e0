"""Draws the picture of the stroke alphabet for the docs and measures how fast it is written.

python benchmarks/stroke_alphabet.py [docs/images/stroke_alphabet.png]
"""

import sys
import time
from pathlib import Path

from PIL import Image

from bukva.tasks.glyph.embedded import draw_letters_and_digits
from bukva.tasks.glyph.strokes.contact_sheet import contact_sheet

SAMPLES_PER_SYMBOL = 20
SHRINK = 2


def main(path: Path = Path("docs/images/stroke_alphabet.png")) -> None:
    """Save the picture, and print the time that a sample takes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet = contact_sheet(hands_per_form=4, forms_per_row=6)
    small = sheet.reduce(SHRINK).quantize(16, method=Image.Quantize.MEDIANCUT)
    small.save(path, optimize=True)
    print(f"{path}: {small.width} x {small.height} px, {path.stat().st_size / 1e3:.0f} kB")

    start_s = time.perf_counter()
    count = sum(1 for _ in draw_letters_and_digits(SAMPLES_PER_SYMBOL, seed=0))
    seconds = time.perf_counter() - start_s
    print(f"{count} samples in {seconds:.2f} s: {1e3 * seconds / count:.2f} ms a sample")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
