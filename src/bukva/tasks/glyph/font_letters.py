"""The corpus `fonts`: letters and digits of handwriting fonts, most of them redrawn with a pen.

A glyph becomes a form of the stroke alphabet: its outlines, or the middle lines of its strokes. The
hands and pens of `strokes` then write it.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

import cv2
import numpy as np
from PIL import Image, ImageDraw

from bukva.core.alphabets import DIGITS
from bukva.core.arrays import BoolArray, UInt8Array
from bukva.core.fonts import HANDWRITING_FONTS, OpenFont
from bukva.core.imaging.skeleton import find_strokes
from bukva.core.samples import RawSample, Split
from bukva.tasks.glyph.charset import LETTERS, SYMBOLS, from_symbol
from bukva.tasks.glyph.strokes.alphabet import SPACING_EM, Form, load_alphabet
from bukva.tasks.glyph.strokes.curves import FloatArray, arc_lengths, sample_at
from bukva.tasks.glyph.strokes.writing import draw_form, draw_hand, draw_outline, keep_joints

FONTS: Final = "fonts"
"""The corpus."""

PEN_SHARE: Final = 0.75
"""Share of the samples whose middle lines a pen draws again; the others are as in the font."""

HELD_BACK: Final[Mapping[str, Split]] = {
    "comic-relief": "test",
    "pacifico": "test",
    "playpen-sans": "valid",
}
"""Fonts that are not learnt from; tests have block letters and joined ones."""

LEFT_OUT: Final[Mapping[str, str]] = {
    # Its small letters are small capitals; digits and some letters are too narrow to be told apart.
    "amatic-sc": LETTERS + DIGITS + "ГҐЄФ",
    # Digits as in old books: a round 0 as high as о, a 9 like д.
    "bad-script": "09",
    # Г like Т, г like л, М like cursive Т, П like Л; к and ч of Latin.
    "comforter": "гкчГМП",
    # Г like a spiral, a dotted capital І, a barred О, С like Є, Ь like Ъ, a knot for Ф.
    "great-vibes": "ГІОСФЬ",
    # Г and Ґ like Т, Е like В, С like Є, Ь like Ъ, Ф with three loops.
    "marck-script": "ГҐЕСФЬ",
    # Г and Ґ like Т, a roof over Ф, ч like r, ь like ъ.
    "pacifico": "чьГҐФ",
}
"""Glyphs that no reader would know, or would take for another letter."""

_CAP_PX: Final = 128
_CANVAS_PX: Final = 512
_BASELINE_PX: Final = 256


def draw_font_letters(samples_per_symbol: int, seed: int) -> Iterator[RawSample]:
    """Yield pages of every symbol, named like "fonts-caveat-Ґ-0012", the same for the same seed.

    The fonts take turns. Each sample has a generator of its own: asking for more samples leaves the
    former as they were.

    Args:
        samples_per_symbol: How many of each of the 76 symbols.
        seed: Not negative.
    """
    for place, symbol in enumerate(SYMBOLS):
        label, is_uppercase = from_symbol(symbol)
        fonts = fonts_with(symbol)
        for index in range(samples_per_symbol):
            font = fonts[index % len(fonts)]
            # The last number keeps these hands apart from those of `strokes`.
            sequence = np.random.SeedSequence(seed, spawn_key=(place, index, 1))
            page = _write(font, symbol, np.random.default_rng(sequence))
            name = f"{FONTS}-{font.name}-{symbol}-{index:04d}"
            split = HELD_BACK.get(font.name, "train")
            yield RawSample(name, page, label, is_uppercase, group=font.name, split=split)


def fonts_with(symbol: str) -> list[OpenFont]:
    """Return the fonts whose glyph of a symbol is worth learning from."""
    return [font for font in HANDWRITING_FONTS if symbol not in LEFT_OUT.get(font.name, "")]


def _write(font: OpenFont, symbol: str, rng: np.random.Generator) -> UInt8Array:
    lines, outlines = trace_glyph(font, symbol)
    hand = draw_hand(rng)
    if rng.random() < PEN_SHARE:
        return draw_form(lines, keep_joints(hand), rng)
    return draw_outline(outlines, hand, rng)


@cache
def trace_glyph(font: OpenFont, symbol: str) -> tuple[Form, Form]:
    """Return a glyph's middle lines, and its outlines, as forms in units of the stroke alphabet.

    Small letters stand beside capitals as in the font; digits are as high as capitals.

    Raises:
        CharsetError: If the font has no such glyph.
    """
    is_ink_HW = _rasterise(font, symbol)
    contours, _ = cv2.findContours(
        is_ink_HW.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE
    )
    outlines = [contour[:, 0].astype(np.float64) for contour in contours]
    lines = [_to_em(points_N2, symbol, is_ink_HW) for points_N2 in find_strokes(is_ink_HW)]
    return (
        Form(symbol, f"{font.name} lines", tuple(map(_resample, lines))),
        Form(
            symbol,
            f"{font.name} outlines",
            tuple(_to_em(points_N2, symbol, is_ink_HW) for points_N2 in outlines),
        ),
    )


def _rasterise(font: OpenFont, symbol: str) -> BoolArray:
    """Return where a glyph has ink, on a canvas where its capitals are `_CAP_PX` high."""
    height_px = -font.open_for("Н", _CAP_PX).getbbox("Н", anchor="ls")[1]
    opened = font.open_for(symbol, round(_CAP_PX**2 / height_px))
    canvas = Image.new("L", (_CANVAS_PX, _CANVAS_PX))
    place = (_CANVAS_PX / 2, _BASELINE_PX)
    ImageDraw.Draw(canvas).text(place, symbol, fill=255, font=opened, anchor="ms")
    return np.asarray(canvas) > 127


def _to_em(points_N2: FloatArray, symbol: str, is_ink_HW: BoolArray) -> FloatArray:
    """Bring points from pixels into em units, y upwards from the baseline."""
    height_px, baseline_px = _CAP_PX, _BASELINE_PX
    if symbol.isdigit():
        inked_rows = np.flatnonzero(is_ink_HW.any(axis=1))
        height_px, baseline_px = int(np.ptp(inked_rows)), int(inked_rows[-1])
    scale = load_alphabet().frame.cap_height / height_px
    return np.asarray((points_N2 - [_CANVAS_PX / 2, baseline_px]) * [scale, -scale])


def _resample(points_N2: FloatArray) -> FloatArray:
    arcs_N = arc_lengths(points_N2)
    count = max(2, round(arcs_N[-1] / SPACING_EM) + 1)
    return sample_at(points_N2, arcs_N, np.linspace(0.0, arcs_N[-1], count))
