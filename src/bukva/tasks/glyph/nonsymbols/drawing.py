"""What shows no symbol, and how it is drawn: dots, lines, scribbles, grey, Latin letters.

The Latin letters are those that no Ukrainian letter or digit looks like, in print or in cursive.
Left out are those that a Ukrainian hand writes too: A B C E H I K M O P T X Y (print), D g (cursive
д), U u (и), W w (ш), m (т), n (п), r (г), b (ь, б), G (6, б), J j (cursive І), l (1), Q (О, а), S s
(5), t (т), V v (in EMNIST many are a U), Z z (2, з), d (д), q (9), y (у) and the like.

Shapes: S side of the page, H x W pixels of a photograph.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from PIL import Image

from bukva.core.arrays import Float32Array, UInt8Array
from bukva.tasks.glyph.strokes.alphabet import Form, load_alphabet, parse_stroke
from bukva.tasks.glyph.strokes.curves import FloatArray, ink_page, trace
from bukva.tasks.glyph.strokes.writing import draw_form, draw_hand

CORPUS: Final = "nonsymbols"
"""Their name in the sample table; the part of a sample's name before the first `-` is its kind."""

KINDS: Final = ("dot", "line", "scribble", "noise", "photo", "latin", "pair")

UPRIGHT: Final = "upright"
"""Bare strokes near the vertical. They may be meant as 1 or І: tested on, never taught."""


def kind_of(name: str) -> str:
    """Return the kind of a sample: `line-00012` gives `line`."""
    return name.partition("-")[0]


@dataclass(frozen=True, slots=True)
class Variation:
    """How widely pages differ. Tests differ more than what is trained on, and in other ways.

    Attributes:
        page_px: Side of the page.
        dot_px: Diameter of a dot.
        pen_px: Width of a line.
        reach: Length of a line, or side of a scribble, as a share of the page.
        lying_deg: Rise of a line to the right. 99.6 % of MNIST's 1s rise by more than 45 degrees;
            training stays clear of them by what augmentation may turn.
        gap: Between the two symbols of a pair, as a share of their height; they never touch.
        lift: How far one stands above the other, at most, likewise.
        has_more_forms: Whether scribbles, noise and pictures come in forms never trained on.
    """

    page_px: tuple[int, int]
    dot_px: tuple[float, float]
    pen_px: tuple[float, float]
    reach: tuple[float, float]
    lying_deg: tuple[float, float]
    gap: tuple[float, float]
    lift: float
    has_more_forms: bool


TRAINED: Final = Variation(
    page_px=(200, 280), dot_px=(4.0, 28.0), pen_px=(3.0, 14.0), reach=(0.25, 0.8),
    lying_deg=(-55.0, 35.0), gap=(0.1, 0.5), lift=0.15, has_more_forms=False,
)  # fmt: skip
TESTED: Final = Variation(
    page_px=(180, 320), dot_px=(3.0, 40.0), pen_px=(2.0, 18.0), reach=(0.15, 0.9),
    lying_deg=(-65.0, 45.0), gap=(0.06, 0.7), lift=0.25, has_more_forms=True,
)  # fmt: skip


_SIDE_PX = 200
_SHADE_LEVELS = 8.0
_GRAIN_LEVELS = 1.0


def draw_blank(rng: np.random.Generator) -> UInt8Array:
    """Return an empty page of any tone, perhaps with a faint shade and grain, as scans have."""
    tone = rng.uniform(0, 255)
    shade_SS = np.linspace(0, rng.uniform(0, _SHADE_LEVELS), _SIDE_PX)[:, None]
    grain_SS = rng.normal(0, rng.uniform(0, _GRAIN_LEVELS), (_SIDE_PX, _SIDE_PX))
    page_SS: UInt8Array = np.clip(tone + shade_SS + grain_SS, 0, 255).astype(np.uint8)
    return page_SS


STRANGE_LETTERS: Final = "FLNRfh"
"""The letters that are read from EMNIST."""

_STROKES: Final = {
    "F": ("0,0 0,100", "0,100 55,100", "0,52 42,52"),
    "L": ("0,100 0,0! 52,0",),
    "N": ("0,0 0,100! 58,0! 58,100",),
    "R": ("0,0 0,100", "0,100 38,97 52,76 38,54 0,50", "20,50 56,0"),
    "V": ("0,100 30,0! 60,100",),
    "f": ("50,92 34,100 20,88 18,60 18,0", "0,55 42,55"),
    "h": ("0,100 0,0", "0,38 18,56 36,54 44,38 44,0"),
}


def draw_latin(rng: np.random.Generator, _variation: Variation) -> UInt8Array:
    """Return a page with a Latin letter, by the hands that write the stroke alphabet."""
    forms = load_latin_forms()
    return draw_form(forms[rng.integers(len(forms))], draw_hand(rng), rng)


@lru_cache(maxsize=1)
def load_latin_forms() -> tuple[Form, ...]:
    """Return one form of each letter, in the em square of the stroke alphabet."""
    frame = load_alphabet().frame
    return tuple(
        Form(letter, "print", tuple(parse_stroke(text, letter, frame) for text in strokes))
        for letter, strokes in _STROKES.items()
    )


_SPACING_PX: Final = 2.0
_MAX_INK_GREY: Final = 120.0
_STOUTEST: Final = 1.4
"""Length of a dot over its width: a longer dab is a short line."""
_SAG: Final = 0.05
"""Rise of a line's middle over its length: more would bend it to a с."""


def draw_dot(rng: np.random.Generator, variation: Variation) -> UInt8Array:
    """Return a page with one touch of the pen."""
    width_px = _draw_log(rng, variation.dot_px)
    end_2 = _unit(rng.uniform(0, 2 * np.pi)) * width_px * (rng.uniform(1.0, _STOUTEST) - 1)
    return _ink(rng, variation, [np.stack([np.zeros(2), end_2 + 0.1])], width_px)


def draw_line(rng: np.random.Generator, variation: Variation) -> UInt8Array:
    """Return a page with one line, lying or slanted, about straight."""
    return _draw_stroke(rng, variation, rng.uniform(*variation.lying_deg))


def draw_upright(rng: np.random.Generator, variation: Variation) -> UInt8Array:
    """Return a page with one line too steep for `draw_line`."""
    low_deg, high_deg = variation.lying_deg
    return _draw_stroke(rng, variation, rng.uniform(high_deg, low_deg + 180.0))


def _draw_stroke(rng: np.random.Generator, variation: Variation, rise_deg: float) -> UInt8Array:
    angle = -np.radians(rise_deg)  # y grows downwards
    sag = rng.uniform(-_SAG, _SAG)
    bow_32 = np.array([[-0.5, 0.0], [0.0, sag], [0.5, 0.0]])
    turn_22 = np.stack([_unit(angle), _unit(angle + np.pi / 2)])
    return _ink(rng, variation, [bow_32 @ turn_22 * _reach_px(rng, variation)])


def draw_scribble(rng: np.random.Generator, variation: Variation) -> UInt8Array:
    """Return a page with a tangle that turns too often to be a letter."""
    forms = (_walk, _zigzag, _hatching, *((_coil, _spiral) if variation.has_more_forms else ()))
    strokes = forms[rng.integers(len(forms))](rng)
    angle, aspect = rng.uniform(0, 2 * np.pi), np.exp(rng.uniform(-0.3, 0.3))
    turn_22 = np.stack([_unit(angle), _unit(angle + np.pi / 2)]) * [aspect, 1 / aspect]
    size_px = _reach_px(rng, variation)
    return _ink(rng, variation, [stroke_P2 @ turn_22 * size_px for stroke_P2 in strokes])


def _walk(rng: np.random.Generator) -> list[FloatArray]:
    """From place to place at random."""
    return [rng.uniform(-0.5, 0.5, (rng.integers(10, 18), 2))]


def _zigzag(rng: np.random.Generator) -> list[FloatArray]:
    """Up and down, more often than any letter."""
    count = int(rng.integers(9, 18))
    along_P = np.linspace(-0.5, 0.5, count) + rng.normal(0, 0.015, count)
    across_P = 0.5 * (-1.0) ** np.arange(count) * rng.uniform(0.6, 1.0, count)
    return [np.stack([along_P, across_P], axis=1)]


def _hatching(rng: np.random.Generator) -> list[FloatArray]:
    """Lines side by side, and as many across them."""
    strokes = []
    for angle in (0.0, rng.uniform(0.8, 2.3)):
        turn_22 = np.stack([_unit(angle), _unit(angle + np.pi / 2)])
        for place in np.linspace(-0.45, 0.45, int(rng.integers(4, 8))):
            ends_22 = np.array([[-0.5, place], [0.5, place]]) + rng.normal(0, 0.03, (2, 2))
            strokes.append(ends_22 @ turn_22)
    return strokes


def _coil(rng: np.random.Generator) -> list[FloatArray]:
    """Loop after loop along a line."""
    loops = rng.uniform(5.0, 9.0)
    turn_P = np.linspace(0, 2 * np.pi * loops, int(12 * loops))
    circle_P2 = 0.3 * np.stack([np.cos(turn_P), np.sin(turn_P)], axis=1)
    return [circle_P2 + np.linspace([-0.35, 0.0], [0.35, 0.0], len(turn_P))]


def _spiral(rng: np.random.Generator) -> list[FloatArray]:
    """Round and round, three times at least."""
    turns = rng.uniform(3.0, 5.0)
    turn_P = np.linspace(0, 2 * np.pi * turns, int(12 * turns))
    radius_P1 = np.linspace(0.05, 0.5, len(turn_P))[:, None]
    return [radius_P1 * np.stack([np.cos(turn_P), np.sin(turn_P)], axis=1)]


def _ink(
    rng: np.random.Generator,
    variation: Variation,
    strokes: Sequence[FloatArray],
    width_px: float | None = None,
) -> UInt8Array:
    """Draw strokes, in pixels about the origin, somewhere on a page where they fit."""
    side_px = int(rng.integers(*variation.page_px))
    lines = [
        trace(stroke_P2, np.zeros(len(stroke_P2), dtype=bool), _SPACING_PX) for stroke_P2 in strokes
    ]
    points_N2 = np.concatenate(lines)
    low_2, high_2 = points_N2.min(axis=0), points_N2.max(axis=0)
    if width_px is None:
        # A pen as stout as the drawing would make a dot of it.
        width_px = min(_draw_log(rng, variation.pen_px), 0.1 * float((high_2 - low_2).max()))
    shrink = min(1.0, (side_px - width_px - 4) / float((high_2 - low_2).max()))
    margin_px = width_px / 2 + 2
    room_2 = side_px - 2 * margin_px - shrink * (high_2 - low_2)
    offset_2 = margin_px - shrink * low_2 + np.maximum(room_2, 0) * rng.beta(2, 2, 2)
    placed = [shrink * line_N2 + offset_2 for line_N2 in lines]
    widths = [np.full(len(line_N2), width_px) for line_N2 in placed]
    grain = rng.uniform(0, 0.3) if rng.random() < 0.3 else 0.0
    return ink_page(placed, widths, side_px, rng.uniform(0, _MAX_INK_GREY), grain, rng)


def _reach_px(rng: np.random.Generator, variation: Variation) -> float:
    return float(rng.uniform(*variation.reach)) * float(np.mean(variation.page_px))


def _draw_log(rng: np.random.Generator, limits: tuple[float, float]) -> float:
    """Draw between two positive limits, small values as often as large ones."""
    return float(np.exp(rng.uniform(*np.log(limits))))


def _unit(angle: float) -> FloatArray:
    return np.array([np.cos(angle), np.sin(angle)])


_PATCH_SHARE: Final = 0.3
"""Share of pages on which the texture is a patch on white paper."""
_SMALLEST_CROP_PX: Final = 90


def draw_noise(rng: np.random.Generator, variation: Variation) -> UInt8Array:
    """Return a page of noise: even, in soft clouds, or as sparse specks; tests mix the grains."""
    forms = (_even, _clouds, _specks, *((_octaves,) if variation.has_more_forms else ()))
    side_px = int(rng.integers(*variation.page_px))
    return _on_page(forms[rng.integers(len(forms))](rng, side_px), rng)


def draw_photo(rng: np.random.Generator, variation: Variation) -> UInt8Array:
    """Return a piece of a photograph, turned, mirrored and toned; tests take another photograph."""
    photos = load_photos()
    names = ("flower",) if variation.has_more_forms else ("china", "hopper")
    photo = Image.fromarray(photos[names[rng.integers(len(names))]])
    side = int(rng.integers(_SMALLEST_CROP_PX, min(photo.size)))
    left, top = (int(rng.integers(0, length - side + 1)) for length in photo.size)
    side_px = int(rng.integers(*variation.page_px))
    piece = photo.crop((left, top, left + side, top + side)).resize((side_px, side_px))
    grey_SS = np.asarray(piece, dtype=np.float32)
    grey_SS = np.rot90(grey_SS, int(rng.integers(4)))[:, :: int(rng.choice([-1, 1]))]
    tone_SS = _stretch(grey_SS) ** np.float32(np.exp(rng.uniform(-0.5, 0.5)))
    return _on_page(1 - tone_SS if rng.random() < 0.3 else tone_SS, rng)


@lru_cache(maxsize=1)
def load_photos() -> dict[str, UInt8Array]:
    """Return grey photographs `(H, W)`: two of scikit-learn's, and the portrait of matplotlib."""
    from matplotlib import cbook
    from sklearn.datasets import load_sample_images

    china, flower = load_sample_images().images
    hopper = np.asarray(Image.open(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)))
    photos = {"china": china, "flower": flower, "hopper": hopper}
    return {name: np.asarray(Image.fromarray(photo).convert("L")) for name, photo in photos.items()}


def _even(rng: np.random.Generator, side_px: int) -> Float32Array:
    """Every cell by itself, a pixel or many wide."""
    cells = max(8, side_px // int(rng.integers(1, 13)))
    tones = rng.random((cells, cells), dtype=np.float32)
    return _enlarge(tones, side_px, Image.Resampling.NEAREST)


def _clouds(rng: np.random.Generator, side_px: int) -> Float32Array:
    """Soft patches, a few on the page or hundreds."""
    cells = int(rng.integers(6, 40))
    tones = rng.standard_normal((cells, cells), dtype=np.float32)
    return _stretch(_enlarge(tones, side_px, Image.Resampling.BICUBIC))


def _specks(rng: np.random.Generator, side_px: int) -> Float32Array:
    """Dark grains strewn on white."""
    cells = side_px // int(rng.integers(1, 6))
    is_dark = rng.random((cells, cells), dtype=np.float32) < np.exp(rng.uniform(-4.5, -1.0))
    is_dark[tuple(rng.integers(cells, size=(2, 12)))] = True
    return _enlarge(1 - is_dark.astype(np.float32), side_px, Image.Resampling.NEAREST)


def _octaves(rng: np.random.Generator, side_px: int) -> Float32Array:
    """Clouds of all sizes on top of each other."""
    clouds = [_clouds(rng, side_px) * np.float32(rng.uniform(0.3, 1.0)) for _ in range(3)]
    return _stretch(np.sum(clouds, axis=0, dtype=np.float32))


def _enlarge(tones: Float32Array, side_px: int, how: Image.Resampling) -> Float32Array:
    return np.asarray(Image.fromarray(tones).resize((side_px, side_px), how))


def _stretch(tones: Float32Array) -> Float32Array:
    """Return tones from 0 to 1; the least contrast is taken for one."""
    low, high = float(tones.min()), float(tones.max())
    stretched: Float32Array = (tones - np.float32(low)) / np.float32(max(high - low, 1.0e-6))
    return stretched


def _on_page(tones_SS: Float32Array, rng: np.random.Generator) -> UInt8Array:
    """Return tones 0..1 as grey levels, over the whole page or as a patch on white."""
    grey_SS: UInt8Array = np.rint(255 * tones_SS).astype(np.uint8)
    if rng.random() >= _PATCH_SHARE:
        return grey_SS
    side_px = len(grey_SS)
    height, width = (int(length) for length in rng.integers(side_px // 3, side_px - 8, size=2))
    top, left = int(rng.integers(4, side_px - height)), int(rng.integers(4, side_px - width))
    page_SS = np.full_like(grey_SS, 255)
    patch_HW = np.asarray(Image.fromarray(grey_SS).resize((width, height)))
    page_SS[top : top + height, left : left + width] = patch_HW
    return page_SS
