"""What happens to a line between the hand and the network, on its ink alone: cheap, one at a time.

A line is bent as a hand would have it and brought to the height of the frame in one step; then its
strokes are worn, soiled and coarsened as `bukva.core.imaging.text_ink` leaves them.

Shapes: h x w pixels of a line as it was set, H x W in the frame.
"""

from functools import lru_cache
from typing import Final, NamedTuple

import cv2
import numpy as np

from bukva.core.arrays import Float32Array, UInt8Array
from bukva.tasks.line.framing import HEIGHT, MARGIN, MOST_WIDTH, STRIDE
from bukva.tasks.line.parameters import SynthesisParameters

_NOISE_WIDTH: Final = 8192
_CELL_PX: Final = 32.0
_LEAN: Final = (0.08, 0.24)
_STRETCH: Final = (0.72, 1.3)


class _Hand(NamedTuple):
    """How a line is written, in pixels of the frame unless said otherwise.

    Attributes:
        scale: Pixels of the line as it was set for one of the frame, down.
        along: The same, across.
        lean: How far the top of a letter lies to the right of its foot, as a share of its height.
        drift: From the highest place of the baseline to the lowest.
        wobble: How far a place on a letter is off, usually.
        middle: The row on which the middle of the line lies.
        start: The column on which it begins.
        width: Of the frame.
    """

    scale: float
    along: float
    lean: float
    drift: float
    wobble: float
    middle: float
    start: float
    width: int


def bend(
    set_hw: UInt8Array, rng: np.random.Generator, strength: float, least_px: float = 0.0
) -> UInt8Array:
    """Return a line in the frame `(HEIGHT, W)`: leaning, drifting, wobbling.

    Args:
        set_hw: As it was set, cut to its ink.
        rng: Decides.
        strength: Of all that, 0..1.
        least_px: As wide it is at least; otherwise as it comes.
    """
    height = set_hw.shape[0]
    hand = _draw_hand(set_hw.shape, rng, strength, least_px)
    y_H1 = np.arange(HEIGHT, dtype=np.float32)[:, None] - np.float32(hand.middle)
    x_1W = np.arange(hand.width, dtype=np.float32)[None, :] - np.float32(hand.start)
    cells = max(3, round(hand.width / _CELL_PX))
    noise_23C = rng.standard_normal((2, 3, cells), dtype=np.float32)
    noise_23C[0] *= np.float32(hand.wobble * hand.along)
    noise_23C[1] *= np.float32(0.6 * hand.wobble * hand.scale)
    map_x, map_y = (
        np.asarray(cv2.resize(each, (hand.width, HEIGHT), interpolation=cv2.INTER_CUBIC))
        for each in noise_23C
    )
    map_x += x_1W * np.float32(hand.along)
    map_x += y_H1 * np.float32(hand.lean * hand.along)
    map_y += y_H1 * np.float32(hand.scale)
    bow_1W = _draw_bow(rng, hand.width) * np.float32(0.5 * hand.drift * hand.scale)
    map_y += np.float32(height / 2) + bow_1W
    return np.asarray(cv2.remap(set_hw, map_x, map_y, cv2.INTER_LINEAR), dtype=np.uint8)


def _draw_hand(
    shape: tuple[int, ...], rng: np.random.Generator, strength: float, least_px: float
) -> _Hand:
    height, width = shape
    drift = abs(float(rng.normal(0, 2.5))) * strength
    wobble = float(rng.uniform(0.3, 1.7)) * strength
    room = HEIGHT * (1 - 2 * MARGIN) * float(rng.uniform(0.82, 1.02)) - drift
    lean = float(rng.normal(*_LEAN)) * strength
    stretch = float(np.exp(rng.uniform(*np.log(_STRETCH)) * strength))
    stretch = max(stretch, least_px * height / (room * width))
    start = int(rng.integers(0, 14)) + abs(lean) * HEIGHT / 2
    scale = height / room
    length = width / scale * stretch
    squeeze = min(1.0, (MOST_WIDTH - 2 * start) / length)
    slack = max(0.0, 0.5 * (HEIGHT - room - drift) - 1)
    return _Hand(
        scale=scale, along=scale / (stretch * squeeze), lean=lean, drift=drift, wobble=wobble,
        middle=HEIGHT / 2 + float(rng.uniform(-1, 1)) * slack, start=start,
        width=max(8, int(length * squeeze + 2 * start)),
    )  # fmt: skip


def _draw_bow(rng: np.random.Generator, width: int) -> Float32Array:
    """Return how far the baseline is off `(1, W)`, within -1..1: sloped, or sagging."""
    nodes = np.cumsum(rng.standard_normal(4)).astype(np.float32)
    nodes -= nodes.mean()
    nodes /= max(1.0, float(np.abs(nodes).max()))
    return np.asarray(cv2.resize(nodes[None], (width, 1), interpolation=cv2.INTER_CUBIC))


def wear(
    ink_HW: UInt8Array, rng: np.random.Generator, parameters: SynthesisParameters
) -> UInt8Array:
    """Return a line with other strokes, tone, noise and resolution, and perhaps rules."""
    strength = parameters.strength
    if rng.random() < 0.5 * strength:
        ink_HW = _change_strokes(ink_HW, rng)
    if rng.random() < 0.5 * strength:
        ink_HW = _coarsen(ink_HW, rng, parameters.coarseness)
    if rng.random() < 0.6 * strength:
        sigma = float(rng.uniform(0.3, 1.0))
        ink_HW = np.asarray(cv2.GaussianBlur(ink_HW, (0, 0), sigma), dtype=np.uint8)
    toned_HW = ink_HW.astype(np.float32)
    gain = float(np.exp(rng.uniform(-0.2, 0.55) * strength))
    toned_HW *= np.float32(gain)
    if rng.random() < 0.6 * strength:
        toned_HW *= _draw_tone(rng, ink_HW.shape[1])
    if rng.random() < parameters.rules * strength:
        _draw_rules(toned_HW, rng)
    if rng.random() < 0.4 * strength:
        toned_HW *= 1 + _take_noise(rng, ink_HW.shape[1]) * np.float32(rng.uniform(0, 0.45))
    if rng.random() < 0.3 * strength:
        _soil(toned_HW, rng)
    offset = float(rng.uniform(0, 40)) * strength
    toned_HW -= np.float32(offset)
    return np.clip(toned_HW, 0, 255, out=toned_HW).astype(np.uint8)


def draw_nothing(rng: np.random.Generator) -> UInt8Array:
    """Return a line that says nothing `(HEIGHT, W)`: paper, rules, smudges, ends of other lines."""
    width = int(rng.integers(10, 240)) * STRIDE
    ink_HW = np.zeros((HEIGHT, width), dtype=np.float32)
    kinds = rng.random(4) < (0.5, 0.35, 0.4, 0.2)
    if kinds[0]:
        for _ in range(int(rng.integers(1, 4))):
            _soil(ink_HW, rng)
    if kinds[1]:
        _draw_rules(ink_HW, rng)
    if kinds[2]:
        _smudge(ink_HW, rng)
    if kinds[3]:
        level = float(rng.uniform(0.8, 3.0))
        grain_HW = _take_noise(rng, width) - np.float32(level)
        ink_HW += np.maximum(grain_HW, 0) * np.float32(rng.uniform(40, 200))
    return np.clip(ink_HW, 0, 255).astype(np.uint8)


def show_neighbours(ink_HW: UInt8Array, other_HW: UInt8Array, rng: np.random.Generator) -> None:
    """Let ends of another line show above or below, in place: tails, or tops of capitals."""
    width = min(ink_HW.shape[1], other_HW.shape[1])
    rows = int(rng.integers(2, 9))
    if rng.random() < 0.5:
        part_hw, ends_hw = ink_HW[:rows, :width], other_HW[HEIGHT - 4 - rows : HEIGHT - 4, :width]
    else:
        part_hw, ends_hw = ink_HW[HEIGHT - rows :, :width], other_HW[3 : 3 + rows, :width]
    np.maximum(part_hw, ends_hw, out=part_hw)


def _change_strokes(ink_HW: UInt8Array, rng: np.random.Generator) -> UInt8Array:
    """Return thicker or thinner strokes; of thin ones a half is left at least."""
    amount = float(rng.uniform(-0.7, 0.9))
    side = 2 if rng.random() < 0.5 or amount > 0.5 else 3
    brush = np.ones((side, side), np.uint8)
    changed = cv2.dilate(ink_HW, brush) if amount > 0 else cv2.erode(ink_HW, brush)
    return np.asarray(cv2.addWeighted(changed, abs(amount), ink_HW, 1 - abs(amount), 0))


def _coarsen(ink_HW: UInt8Array, rng: np.random.Generator, most: float) -> UInt8Array:
    factor = float(rng.uniform(1.1, max(1.1, most)))
    height, width = ink_HW.shape
    small = (max(4, round(width / factor)), max(8, round(height / factor)))
    coarse = cv2.resize(ink_HW, small, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR))


def _draw_tone(rng: np.random.Generator, width: int) -> Float32Array:
    """Return how strong ink is along a line `(HEIGHT, W)`: a pen runs dry and is dipped again."""
    cells = (int(rng.integers(1, 4)), max(2, width // int(rng.integers(24, 120))))
    tones = rng.standard_normal(cells, dtype=np.float32)
    tones *= np.float32(rng.uniform(0.05, 0.3))
    tone_HW = cv2.resize(tones, (width, HEIGHT), interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.clip(1 + tone_HW, 0.35, 1.5))


def _draw_rules(ink_HW: Float32Array, rng: np.random.Generator) -> None:
    """Leave what is left of a rule, or of squares, in place."""
    width = ink_HW.shape[1]
    drawn_HW = np.zeros(ink_HW.shape, dtype=np.uint8)
    thickness = int(rng.choice([1, 1, 2]))
    slope = float(rng.normal(0, 0.02)) * width / 2
    pitch = float(rng.uniform(7, 26)) if rng.random() < 0.5 else 60.0
    for y in np.arange(float(rng.uniform(0, min(HEIGHT, pitch))), HEIGHT, pitch):
        ends = ((0, round(16 * (y - slope))), (16 * width, round(16 * (y + slope))))
        cv2.line(drawn_HW, *ends, 255, thickness, cv2.LINE_AA, 4)
    if pitch < 60 and rng.random() < 0.6:
        for x in np.arange(float(rng.uniform(0, pitch)), width, pitch):
            foot = round(16 * (x - slope * HEIGHT / width))
            cv2.line(
                drawn_HW, (round(16 * x), 0), (foot, 16 * HEIGHT), 255, thickness, cv2.LINE_AA, 4
            )
    strength = np.float32(rng.uniform(0.15, 0.9))
    if rng.random() < 0.7:
        # What was taken off comes back in pieces.
        gaps = _draw_tone(rng, width) * (_take_noise(rng, width)[:1] > rng.uniform(-1, 0.6))
        np.maximum(ink_HW, drawn_HW * strength * gaps, out=ink_HW)
    else:
        np.maximum(ink_HW, drawn_HW * strength, out=ink_HW)


def _soil(ink_HW: Float32Array, rng: np.random.Generator) -> None:
    """Strew dots, in place."""
    drawn_HW = np.zeros(ink_HW.shape, dtype=np.uint8)
    for _ in range(int(rng.integers(1, 12))):
        middle = (int(rng.integers(16 * ink_HW.shape[1])), int(rng.integers(16 * HEIGHT)))
        radius = round(16 * float(rng.uniform(0.4, 1.6)))
        cv2.circle(drawn_HW, middle, radius, int(rng.integers(60, 256)), -1, cv2.LINE_AA, 4)
    np.maximum(ink_HW, drawn_HW, out=ink_HW)


def _smudge(ink_HW: Float32Array, rng: np.random.Generator) -> None:
    """Wipe over the paper: soft patches, some with a hard rim, in place."""
    width = ink_HW.shape[1]
    cells = (int(rng.integers(2, 5)), max(2, width // int(rng.integers(20, 120))))
    patches = rng.standard_normal(cells, dtype=np.float32) - np.float32(rng.uniform(0.3, 1.2))
    patches *= np.float32(np.exp(rng.uniform(np.log(60), np.log(600))))
    patch_HW = cv2.resize(patches, (width, HEIGHT), interpolation=cv2.INTER_CUBIC)
    ink_HW += np.clip(patch_HW, 0, float(rng.uniform(60, 255)))


def _take_noise(rng: np.random.Generator, width: int) -> Float32Array:
    """Return standard noise `(HEIGHT, W)`: a piece of a long strip of it, which costs nothing."""
    strip_HW = _noise()
    left = int(rng.integers(strip_HW.shape[1] - width + 1))
    return strip_HW[:, left : left + width]


@lru_cache(maxsize=1)
def _noise() -> Float32Array:
    rng = np.random.default_rng(0)
    noise_HW = rng.standard_normal((HEIGHT, _NOISE_WIDTH), dtype=np.float32)
    return np.asarray(cv2.GaussianBlur(noise_HW, (0, 0), 0.7) * np.float32(2.2))
