"""Draws the picture of the stroke alphabet for the docs and measures how fast it is written.

python benchmarks/stroke_alphabet.py [docs/images/stroke_alphabet.png]
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from bukva.core.arrays import UInt8Array
from bukva.tasks.glyph.charset import SYMBOLS
from bukva.tasks.glyph.embedded import draw_letters_and_digits
from bukva.tasks.glyph.strokes.alphabet import Form, load_alphabet
from bukva.tasks.glyph.strokes.writing import SIDE_PX, Hand, draw_form, draw_hand

SAMPLES_PER_SYMBOL = 20
SHRINK = 2
RULE_GREY = 215


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


def contact_sheet(
    hands_per_form: int = 5, forms_per_row: int = 3, seed: int = 0, symbols: str = SYMBOLS
) -> Image.Image:
    """Return a grey picture of every form: the canonical one on its ruled line, then by hands.

    Args:
        hands_per_form: Random renderings beside each canonical form.
        forms_per_row: Forms side by side.
        seed: Of the random renderings.
        symbols: Which symbols, in this order.
    """
    rng = np.random.default_rng(seed)
    forms = [form for symbol in symbols for form in load_alphabet().forms[symbol]]
    strips = [_strip(form, hands_per_form, rng) for form in forms]
    blank = np.full_like(strips[0], 255)
    strips += [blank] * (-len(strips) % forms_per_row)
    rows = [
        np.concatenate(strips[start : start + forms_per_row], axis=1)
        for start in range(0, len(strips), forms_per_row)
    ]
    return Image.fromarray(np.concatenate(rows))


def _strip(form: Form, hands: int, rng: np.random.Generator) -> UInt8Array:
    pages: Sequence[UInt8Array] = [
        _ruled(draw_form(form, Hand(), rng)),
        *(draw_form(form, draw_hand(rng), rng) for _ in range(hands)),
    ]
    return np.concatenate(pages, axis=1)


def _ruled(page: UInt8Array) -> UInt8Array:
    """Show baseline, x-height and height of capitals, and a frame, behind a canonical form."""
    frame, hand = load_alphabet().frame, Hand()
    ruled = page.copy()
    for height_em in (frame.baseline, frame.x_height, frame.cap_height):
        line_px = round(hand.baseline_px - height_em / frame.cap_height * hand.cap_height_px)
        ruled[line_px] = np.minimum(ruled[line_px], RULE_GREY)
    ruled[:, [0, SIDE_PX - 1]] = RULE_GREY
    return ruled


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
