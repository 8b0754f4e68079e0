"""Writers: how a hand shapes, places and inks a symbol, drawn at random.

Lengths end in `_em` (hundredths of the height of a capital) or `_px` (pixels of the page).
"""

from dataclasses import dataclass

import numpy as np

SIDE_PX = 112


@dataclass(frozen=True, slots=True)
class Instrument:
    """What leaves the line: a finger, a mouse, a pen, a pencil.

    Attributes:
        width_px: Range of the line's width.
        pressure: Relative variation of the width along a stroke.
        taper: How much of the width is lost where the pen touches down and lifts, 0..1.
        tremor_em: Size of the fast unsteadiness.
        chord_em: Range of the straight pieces that a device records; 0 = continuous.
        grey: Range of the ink, 0 = black, 255 = paper.
        grain: Share of the ink that rough paper leaves out, 0..1.
    """

    width_px: tuple[float, float]
    pressure: float
    taper: float
    tremor_em: float
    chord_em: tuple[float, float]
    grey: tuple[float, float]
    grain: float = 0.0


FINGER = Instrument((3.0, 6.5), 0.03, 0.0, 0.25, (2.0, 6.0), (0, 30))
MOUSE = Instrument((2.0, 4.5), 0.0, 0.0, 0.5, (3.0, 9.0), (0, 30))
STYLUS = Instrument((1.8, 4.5), 0.25, 0.3, 0.25, (1.0, 5.0), (0, 40))
BALLPOINT = Instrument((1.3, 2.4), 0.15, 0.2, 0.3, (0.0, 0.0), (20, 110), 0.15)
PENCIL = Instrument((1.4, 2.8), 0.2, 0.3, 0.3, (0.0, 0.0), (60, 140), 0.45)
FELT_TIP = Instrument((3.0, 6.5), 0.12, 0.1, 0.25, (0.0, 0.0), (0, 70))
INSTRUMENTS = (FINGER, MOUSE, STYLUS, BALLPOINT, PENCIL, FELT_TIP)


@dataclass(frozen=True, slots=True)
class Hand:
    """One writer at one moment. The defaults write the canonical form.

    Attributes:
        instrument: What leaves the line; of it the pressure, taper and grain are used.
        cap_height_px: Height of a capital on the page.
        baseline_px: The ruled line, from the page's top.
        offset_px: How far right of the page's middle the symbol stands.
        lower_scale: Size of lower-case letters relative to the alphabet's x-height.
        aspect: Relative width.
        slant: Shift to the right per unit of height.
        rotation_rad: Counter-clockwise.
        pen_width_px: Mean width of the line.
        grey: Ink level.
        jitter_em: Size of the slow deviation from the canonical shape.
        stroke_shift_em: Independent shift of each stroke.
        end_error_em: By how much stroke ends over- or undershoot.
        rounding_em: Length over which corners are rounded.
        tremor_em: Size of the fast unsteadiness.
        chord_em: Length of the straight pieces of a line.
        break_rate: Probability that a stroke is broken.
        join_rate: Probability that the pen stays down between two near strokes.
    """

    instrument: Instrument = MOUSE
    cap_height_px: float = 56.0
    baseline_px: float = 76.0
    offset_px: float = 0.0
    lower_scale: float = 1.0
    aspect: float = 1.0
    slant: float = 0.0
    rotation_rad: float = 0.0
    pen_width_px: float = 3.5
    grey: float = 0.0
    jitter_em: float = 0.0
    stroke_shift_em: float = 0.0
    end_error_em: float = 0.0
    rounding_em: float = 0.0
    tremor_em: float = 0.0
    chord_em: float = 0.0
    break_rate: float = 0.0
    join_rate: float = 0.0


def draw_hand(rng: np.random.Generator) -> Hand:
    """Return a writer drawn at random: many are neat, a few write in a great hurry."""
    instrument = INSTRUMENTS[rng.integers(len(INSTRUMENTS))]
    haste = float(np.clip(rng.lognormal(0.0, 0.38), 0.35, 1.8))
    cap_height_px = SIDE_PX * float(np.exp(rng.uniform(np.log(0.30), np.log(0.54))))
    return Hand(
        instrument=instrument,
        cap_height_px=cap_height_px,
        baseline_px=SIDE_PX * float(rng.normal(0.68, 0.02)),
        offset_px=SIDE_PX * float(rng.normal(0.0, 0.04)),
        lower_scale=float(np.clip(rng.lognormal(0.0, 0.08), 0.82, 1.2)),
        aspect=float(np.clip(rng.lognormal(0.0, 0.14), 0.7, 1.4)),
        slant=float(np.clip(rng.normal(0.12, 0.17), -0.25, 0.55)),
        rotation_rad=float(np.clip(rng.normal(0.0, 0.05), -0.15, 0.15)),
        pen_width_px=min(float(rng.uniform(*instrument.width_px)), 0.11 * cap_height_px),
        grey=float(rng.uniform(*instrument.grey)),
        jitter_em=2.3 * haste,
        stroke_shift_em=1.6 * haste,
        end_error_em=2.2 * haste,
        rounding_em=float(rng.uniform(0.5, 3.0)) * haste,
        tremor_em=instrument.tremor_em * float(rng.uniform(0.3, 1.7)),
        chord_em=float(rng.uniform(*instrument.chord_em)),
        break_rate=0.03 * haste,
        join_rate=0.08 * haste,
    )
