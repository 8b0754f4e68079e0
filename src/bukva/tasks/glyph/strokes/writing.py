"""Moves the strokes of a form as a hand would, and draws them on a page.

Shapes: N points along a stroke, 2 = (x, y), W waves of a noise.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from bukva.core.arrays import UInt8Array
from bukva.tasks.glyph.charset import LETTERS, from_symbol
from bukva.tasks.glyph.strokes.alphabet import SPACING_EM, Form, load_alphabet
from bukva.tasks.glyph.strokes.curves import FloatArray, arc_lengths, fill_page, ink_page, sample_at

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
        jitter_em: Size of each stroke's own slow deviation from the canonical shape.
        bend_em: Size of the slow deviation of the symbol as a whole.
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
    bend_em: float = 0.0
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
        bend_em=2.3 * haste,
        stroke_shift_em=1.6 * haste,
        end_error_em=2.2 * haste,
        rounding_em=float(rng.uniform(0.5, 3.0)) * haste,
        tremor_em=instrument.tremor_em * float(rng.uniform(0.3, 1.7)),
        chord_em=float(rng.uniform(*instrument.chord_em)),
        break_rate=0.03 * haste,
        join_rate=0.08 * haste,
    )


SLOW_WAVES_EM = np.array([220.0, 120.0, 70.0])
FAST_WAVES_EM = np.array([30.0, 17.0, 10.0])
FIELD_WAVES_EM = np.array([170.0, 110.0, 75.0])
PRESSURE_WAVES_EM = np.array([140.0, 60.0, 30.0])
MARGIN_PX = 3.0
SHORT_STROKE_EM = 20.0
REACH = 0.36
"""Longest join relative to the height of the form: longer ones put a lid on Ш."""
STOUTEST_PEN = 0.12
"""Widest line relative to the height of the form: beyond it, loops fill with ink."""


def draw_symbol(symbol: str, rng: np.random.Generator) -> UInt8Array:
    """Return a page `(SIDE_PX, SIDE_PX)`, paper 255, with a symbol in a random form and hand.

    Raises:
        CharsetError: If `symbol` is not one of the 76 symbols.
    """
    from_symbol(symbol)
    forms = load_alphabet().forms[symbol]
    return draw_form(forms[rng.integers(len(forms))], draw_hand(rng), rng)


def draw_form(form: Form, hand: Hand, rng: np.random.Generator) -> UInt8Array:
    """Return a page `(SIDE_PX, SIDE_PX)`, paper 255, with a form written by a hand."""
    hand = _fit_to(form, hand)
    strokes = _join(_break(list(form.strokes), hand, rng), hand, rng)
    strokes = [_shape(stroke_N2, hand, rng) for stroke_N2 in strokes]
    strokes = _place(_bend(strokes, hand, rng), hand, scale=_scale(form, hand))
    widths = [_widths_px(stroke_N2, hand, rng) for stroke_N2 in strokes]
    return ink_page(strokes, widths, SIDE_PX, hand.grey, hand.instrument.grain, rng)


def draw_outline(form: Form, hand: Hand, rng: np.random.Generator) -> UInt8Array:
    """Return a page as `draw_form` does, of a form whose strokes are the outlines of its ink."""
    outlines = _bend(form.strokes, _fit_to(form, hand), rng)
    outlines = _place(outlines, hand, scale=_scale(form, hand))
    return fill_page(outlines, SIDE_PX, hand.grey, hand.instrument.grain, rng)


def keep_joints(hand: Hand) -> Hand:
    """Return the hand as it writes strokes that were cut where they meet: none moves by itself."""
    return replace(
        hand, jitter_em=0.0, stroke_shift_em=0.0, end_error_em=0.0, break_rate=0.0, join_rate=0.0
    )


def _fit_to(form: Form, hand: Hand) -> Hand:
    """Return the hand as it writes this form: small letters more carefully, and with less ink."""
    heights_em = np.concatenate(form.strokes)[:, 1]
    size = float(np.ptp(heights_em)) / load_alphabet().frame.cap_height
    care = float(np.clip(size, 0.6, 1.0))
    return replace(
        hand,
        pen_width_px=min(hand.pen_width_px, STOUTEST_PEN * size * hand.cap_height_px),
        jitter_em=care * hand.jitter_em,
        bend_em=care * hand.bend_em,
        stroke_shift_em=care * hand.stroke_shift_em,
        end_error_em=care * hand.end_error_em,
        rounding_em=care * hand.rounding_em,
        tremor_em=care * hand.tremor_em,
        chord_em=care * hand.chord_em,
    )


def _scale(form: Form, hand: Hand) -> float:
    """Pixels per em unit."""
    cap_height_em = load_alphabet().frame.cap_height
    is_lowercase = form.symbol in LETTERS
    return hand.cap_height_px / cap_height_em * (hand.lower_scale if is_lowercase else 1.0)


def _break(strokes: Sequence[FloatArray], hand: Hand, rng: np.random.Generator) -> list[FloatArray]:
    """Lift the pen for a moment inside some long strokes."""
    pieces: list[FloatArray] = []
    for stroke_N2 in strokes:
        count = len(stroke_N2)
        if count * SPACING_EM > 3 * SHORT_STROKE_EM and rng.random() < hand.break_rate:
            cut, gap = int(count * rng.uniform(0.2, 0.8)), int(rng.integers(1, 4))
            pieces += [stroke_N2[:cut], stroke_N2[cut + gap :]]
        else:
            pieces.append(stroke_N2)
    return pieces


def _join(strokes: Sequence[FloatArray], hand: Hand, rng: np.random.Generator) -> list[FloatArray]:
    """Keep the pen down between some strokes whose ends are near each other."""
    joined = [strokes[0]]
    reach_em = REACH * float(np.ptp(np.concatenate(strokes)[:, 1]))
    for stroke_N2 in strokes[1:]:
        is_near = float(np.hypot(*(stroke_N2[0] - joined[-1][-1]))) < reach_em
        is_dot = len(stroke_N2) * SPACING_EM < SHORT_STROKE_EM
        if is_near and not is_dot and rng.random() < hand.join_rate:
            joined[-1] = np.concatenate([joined[-1], stroke_N2])
        else:
            joined.append(stroke_N2)
    return joined


def _shape(stroke_N2: FloatArray, hand: Hand, rng: np.random.Generator) -> FloatArray:
    """Vary one stroke by itself: its ends, corners, course, steadiness and place."""
    arcs_N = arc_lengths(stroke_N2)
    length = arcs_N[-1]
    errors_2 = np.maximum(rng.normal(0.0, hand.end_error_em, 2), -0.15 * length)
    errors_2 *= min(1.0, length / SHORT_STROKE_EM)
    count = max(2, round((length + errors_2.sum()) / SPACING_EM) + 1)
    arcs_N = np.linspace(-errors_2[0], length + errors_2[1], count)
    points_N2 = _smooth(sample_at(stroke_N2, arc_lengths(stroke_N2), arcs_N), hand.rounding_em)
    points_N2 = points_N2 + hand.jitter_em * _noise(arcs_N, SLOW_WAVES_EM, rng)
    points_N2 += hand.tremor_em * _noise(arcs_N, FAST_WAVES_EM, rng)
    points_N2 += rng.normal(0.0, hand.stroke_shift_em, 2)
    return _facet(points_N2, hand.chord_em)


def _noise(arcs_N: FloatArray, waves_W: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return smooth noise `(N, 2)` of unit variance: random waves, the long ones higher."""
    phases_2W1 = rng.uniform(0.0, 2 * np.pi, (2, len(waves_W), 1))
    heights_W = waves_W * np.sqrt(2 / (waves_W @ waves_W))
    weights_21W = rng.normal(0.0, heights_W, (2, 1, len(waves_W)))
    angles_WN = 2 * np.pi / waves_W[:, None] * arcs_N
    return np.asarray((weights_21W @ np.cos(angles_WN + phases_2W1))[:, 0].T)


def _smooth(points_N2: FloatArray, width_em: float) -> FloatArray:
    """Round corners by a running mean that keeps the ends, twice for a bell-shaped window."""
    reach = min(round(width_em / SPACING_EM), (len(points_N2) - 1) // 2)
    if reach < 1:
        return points_N2
    window = 2 * reach + 1
    for _ in range(2):
        before_R2 = 2 * points_N2[0] - points_N2[reach:0:-1]
        after_R2 = 2 * points_N2[-1] - points_N2[-2 : -reach - 2 : -1]
        sums_N2 = np.cumsum(np.concatenate([np.zeros((1, 2)), before_R2, points_N2, after_R2]), 0)
        points_N2 = (sums_N2[window:] - sums_N2[:-window]) / window
    return points_N2


def _facet(points_N2: FloatArray, chord_em: float) -> FloatArray:
    """Keep every k-th point, as a device that reports the pen's place too seldom."""
    step = max(1, round(chord_em / SPACING_EM))
    kept = np.append(np.arange(0, len(points_N2) - 1, step), len(points_N2) - 1)
    return np.asarray(points_N2[kept])


def _bend(strokes: Sequence[FloatArray], hand: Hand, rng: np.random.Generator) -> list[FloatArray]:
    """Bend the whole symbol by a smooth field, which keeps together what touches."""
    points_N2 = np.concatenate(strokes)
    for axis in (0, 1):
        points_N2 = points_N2 + hand.bend_em * _noise(points_N2[:, axis], FIELD_WAVES_EM, rng)
    return _split_like(points_N2, strokes)


def _place(strokes: Sequence[FloatArray], hand: Hand, scale: float) -> list[FloatArray]:
    """Put the symbol on the ruled line of the page, in pixels, y downwards."""
    cosine, sine = np.cos(hand.rotation_rad), np.sin(hand.rotation_rad)
    slanted_22 = np.array([[hand.aspect, hand.slant], [0.0, 1.0]])
    turned_22 = np.array([[cosine, -sine], [sine, cosine]]) @ slanted_22
    points_N2 = np.concatenate(strokes)
    points_N2 = points_N2 - [np.ptp(points_N2[:, 0]) / 2, 0.0]
    points_N2 = points_N2 @ (turned_22.T * [scale, -scale])
    middle_px = (points_N2[:, 0].min() + points_N2[:, 0].max()) / 2
    points_N2 += [SIDE_PX / 2 + hand.offset_px - middle_px, hand.baseline_px]
    return _split_like(_fit(points_N2, MARGIN_PX + hand.pen_width_px), strokes)


def _fit(points_N2: FloatArray, margin_px: float) -> FloatArray:
    """Shrink and shift points by as little as keeps them off the page's edges."""
    room_px = SIDE_PX - 2 * margin_px
    shrink = min(1.0, room_px / float(np.ptp(points_N2, axis=0).max()))
    centre_2 = (points_N2.min(axis=0) + points_N2.max(axis=0)) / 2
    points_N2 = centre_2 + shrink * (points_N2 - centre_2)
    points_N2 += np.maximum(margin_px - points_N2.min(axis=0), 0.0)
    return np.asarray(points_N2 - np.maximum(points_N2.max(axis=0) - SIDE_PX + margin_px, 0.0))


def _widths_px(stroke_N2: FloatArray, hand: Hand, rng: np.random.Generator) -> FloatArray:
    """Width of the line at each point of a stroke on the page."""
    arcs_px = arc_lengths(stroke_N2)
    arcs_em = arcs_px * 100 / hand.cap_height_px
    pressure_N = hand.instrument.pressure * _noise(arcs_em, PRESSURE_WAVES_EM, rng)[:, 0]
    to_end_px = np.minimum(arcs_px, arcs_px[-1] - arcs_px)
    lost_N = hand.instrument.taper * np.exp(-to_end_px / hand.pen_width_px)
    return np.asarray(hand.pen_width_px * np.clip(1 + pressure_N - lost_N, 0.5, 1.6))


def _split_like(points_N2: FloatArray, strokes: Sequence[FloatArray]) -> list[FloatArray]:
    ends = np.cumsum([len(stroke_N2) for stroke_N2 in strokes])
    return np.split(points_N2, ends[:-1])
