"""Lines set in free fonts, printed and handwritten alike on the same papers, by the same cameras.

Printed lines are set letter by letter in typefaces, some as a typewriter strikes them. Handwritten
ones are set in handwriting fonts and then bent, so that no letter comes twice the same.

Shapes: H x W pixels, h x w of a letter.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from bukva.core.arrays import Float32Array, UInt8Array
from bukva.core.fonts import HANDWRITING_FONTS, PRINTED_FONTS, OpenFont
from bukva.core.imaging.camera import draw_camera_style, draw_light_style, expose, light_sheet
from bukva.core.imaging.painting import MAX_SIDE_PX, draw_clouds, draw_log
from bukva.core.imaging.papers import draw_sheet, draw_sheet_style
from bukva.core.imaging.pens import change_width, draw_pen_style, write_ink
from bukva.core.samples import RawSample, Split
from bukva.tasks.document.answer import Hand
from bukva.tasks.document.wording import draw_wording

DRAWN: Final = "drawn_lines"
"""The corpus."""

HELD_BACK: Final[dict[str, Split]] = {
    "comic-relief": "test", "pacifico": "test", "playpen-sans": "valid",
    "playfair-display": "test", "cousine": "test", "roboto": "valid",
}  # fmt: skip
"""Fonts that are not learnt from, of either kind."""

_SIZES_PX: Final = (18, 24, 32, 44)
_TYPEWRITERS: Final = (
    "anonymous-pro", "courier-prime", "cousine", "cutive-mono", "ibm-plex-mono", "pt-mono",
)  # fmt: skip
_REDRAWS: Final = 20


def draw_lines(count: int, seed: int) -> Iterator[RawSample]:
    """Yield pictures of lines, half of them printed, the same for the same seed.

    Each has a generator of its own: asking for more leaves the former as they were.
    """
    for index in range(count):
        rng = np.random.default_rng((seed, index, 34))
        label: Hand = "printed" if index % 2 else "handwritten"
        fonts = PRINTED_FONTS if index % 2 else HANDWRITING_FONTS
        font = fonts[index // 2 % len(fonts)]
        text = _draw_settable(font, rng)
        name = f"{DRAWN}-{font.name}-{index:05d}"
        split = HELD_BACK.get(font.name, "train")
        picture = draw_picture(text, font, label, rng)
        yield RawSample(name, picture, label, group=font.name, split=split, text=text)


def _draw_settable(font: OpenFont, rng: np.random.Generator) -> str:
    """Return wording of which the font has nearly all: some have no Cyrillic."""
    for _ in range(_REDRAWS):
        text = draw_wording(rng)
        lacking = sum(font.find_subset(character) is None for character in text)
        if lacking <= len(text) // 8:
            return text
    return "1914"


def draw_picture(text: str, font: OpenFont, label: Hand, rng: np.random.Generator) -> UInt8Array:
    """Return a picture of a line on paper, grey `(H, W)`."""
    ink_HW = set_line(text, font, label, rng)
    sheet = draw_sheet_style(rng)
    while sheet.is_board:
        sheet = draw_sheet_style(rng)
    if rng.random() < 0.7:
        sheet = sheet._replace(rules=())
    pen = draw_pen_style(rng, sheet)
    ink_HW = change_width(ink_HW, float(rng.choice([0, 0, 0, 0.6])))
    shape = (ink_HW.shape[0], ink_HW.shape[1])
    picture_CHW = draw_sheet(sheet, shape, 2.0 * shape[0], rng)
    write_ink(picture_CHW, ink_HW, pen, rng)
    light = draw_light_style(rng)
    # A line is no photograph of a desk: its light falls off less from end to end.
    light = light._replace(falloff=0.4 * light.falloff, shadow=0.3 * light.shadow, glare=0.0)
    light_sheet(picture_CHW, light, rng)
    scale = draw_log(rng, 0.6, 1.0)
    small = (max(14, round(scale * shape[0])), max(14, round(scale * shape[1])))
    picture_HWC = expose(picture_CHW, draw_camera_style(rng), small, rng)
    return np.asarray(cv2.cvtColor(picture_HWC, cv2.COLOR_RGB2GRAY), dtype=np.uint8)


def set_line(text: str, font: OpenFont, label: Hand, rng: np.random.Generator) -> Float32Array:
    """Return the ink of a line, 0..1, at most 640 pixels wide."""
    size_px = int(rng.choice(_SIZES_PX))
    if label == "handwritten":
        return _bend(_set(text, font, size_px, 0.0, rng, jitter=0.03), size_px, rng)
    is_typed = font.name in _TYPEWRITERS and rng.random() < 0.7
    jitter = float(rng.uniform(0.0, 0.035)) if is_typed else 0.0
    spacing = float(rng.choice([0.0, 0.0, 0.0, 0.08, 0.2]))
    ink_HW = _set(text, font, size_px, spacing, rng, jitter=jitter)
    if rng.random() < 0.15:
        ink_HW = _slant(ink_HW, 0.2)
    if rng.random() < 0.25:
        ink_HW = np.asarray(cv2.dilate(ink_HW, np.ones((1, 2), np.uint8)))
    return _spread_ribbon(ink_HW, size_px, rng) if is_typed else ink_HW


def _spread_ribbon(ink_HW: Float32Array, size_px: int, rng: np.random.Generator) -> Float32Array:
    """Return letters as a ribbon leaves them: soft, thick, here and there faint."""
    soft_HW = cv2.GaussianBlur(ink_HW, (0, 0), size_px * rng.uniform(0.01, 0.05))
    worn_HW = np.float32(1) - draw_clouds(rng, ink_HW.shape, (3, 40)) * np.float32(
        rng.uniform(0.0, 0.25)
    )
    spread = np.float32(rng.uniform(1.0, 1.9))
    return np.asarray(np.clip(soft_HW * spread * worn_HW, 0, 1), dtype=np.float32)


@lru_cache(maxsize=256)
def _open(font: OpenFont, character: str, size_px: int) -> ImageFont.FreeTypeFont | None:
    subset = font.find_subset(character)
    return None if subset is None else _open_subset(font, subset, size_px)


@lru_cache(maxsize=256)
def _open_subset(font: OpenFont, subset: str, size_px: int) -> ImageFont.FreeTypeFont:
    return font.open("cyrillic" if subset == "cyrillic" else "latin", size_px)


def _set(
    text: str, font: OpenFont, size_px: int, spacing: float, rng: np.random.Generator, *,
    jitter: float,
) -> Float32Array:  # fmt: skip
    """Set runs of letters of one file of the font; with jitter or spacing, letter by letter."""
    by_letter = bool(spacing) or (jitter > 0 and font.name in _TYPEWRITERS)
    canvas = Image.new("L", (MAX_SIDE_PX, 3 * size_px))
    pen = ImageDraw.Draw(canvas)
    x, baseline = 0.4 * size_px, 2.0 * size_px
    for run, opened in _runs(text, font, size_px, by_letter=by_letter):
        width = opened.getlength(run)
        if x + width > MAX_SIDE_PX - 0.3 * size_px:
            break
        y = baseline + rng.normal(0, jitter) * size_px
        tone = 255 if not by_letter else int(rng.integers(170, 256))
        pen.text((x, y), run, fill=tone, font=opened, anchor="ls")
        x += width + spacing * size_px
    drawn_HW = np.asarray(canvas)
    rows = np.flatnonzero(drawn_HW.any(axis=1))
    top, bottom = (int(rows[0]), int(rows[-1]) + 1) if len(rows) else (size_px, 2 * size_px)
    above, below = (round(size_px * rng.uniform(0.05, 0.5)) for _ in range(2))
    cut_HW = drawn_HW[max(0, top - above) : bottom + below, : round(x + 0.3 * size_px)]
    ink_HW: Float32Array = cut_HW.astype(np.float32) / np.float32(255)
    return ink_HW


def _runs(
    text: str, font: OpenFont, size_px: int, *, by_letter: bool
) -> Iterator[tuple[str, ImageFont.FreeTypeFont]]:
    """Yield words, in letters of one file each; what the font lacks is left out."""
    run, current = "", None
    for character in text:
        opened = _open(font, character, size_px)
        if opened is None:
            continue
        # A space stands in every file, so that a word ends with it.
        is_other = opened is not current and character != " "
        if run and current and (by_letter or run.endswith(" ") or is_other):
            yield run, current
            run = ""
        run, current = run + character, opened if character != " " or not run else current
    if run and current:
        yield run, current


def _slant(ink_HW: Float32Array, slant: float) -> Float32Array:
    height, width = ink_HW.shape
    matrix = np.array([[1, -slant, slant * height / 2], [0, 1, 0]], dtype=np.float64)
    return np.asarray(cv2.warpAffine(ink_HW, matrix, (width, height)), dtype=np.float32)


def _bend(ink_HW: Float32Array, size_px: int, rng: np.random.Generator) -> Float32Array:
    """Return a line as a hand would have it: up and down, wide and narrow, leaning by turns."""
    height, width = ink_HW.shape
    cells = max(3, round(width / (0.7 * size_px)))
    reach = size_px * rng.uniform(0.03, 0.09)
    moved = [
        cv2.resize(
            rng.standard_normal((3, cells), dtype=np.float32), (width, height),
            interpolation=cv2.INTER_CUBIC,
        )
        for _ in range(2)
    ]  # fmt: skip
    slope = rng.normal(0, 0.02)
    y_HW, x_HW = np.mgrid[0:height, 0:width].astype(np.float32)
    lean = np.float32(rng.normal(0.1, 0.25))
    map_x = x_HW + moved[0] * np.float32(reach) + lean * (y_HW - np.float32(height / 2))
    map_y = (
        y_HW
        + moved[1] * np.float32(0.8 * reach)
        + np.float32(slope) * (x_HW - np.float32(width / 2))
    )
    bent_HW = cv2.remap(ink_HW, map_x, map_y.astype(np.float32), cv2.INTER_LINEAR)
    return np.asarray(bent_HW, dtype=np.float32)
