"""Rules and squares printed on paper, taken off what stands out from it.

A rule has one colour along all its length. Where a stroke crosses it, the stroke is what differs
from the rule: with the rule's own difference taken off, the stroke is left.

Shapes: H x W pixels, C = 3 channels, S strips across the rules, K columns sampled of each, R rows.
"""

from typing import Final, NamedTuple

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from bukva.core.arrays import Float32Array

_STRIPS: Final = 8
_COLUMNS: Final = 9
_MOST_TURN_DEG: Final = 16
_BINS_PER_DEG: Final = 2
_LEAST_TURN_DEG: Final = 0.2
_LEAST_EDGE, _MOST_EDGE = 12, 40
_LEAST_LEVELS: Final = 3.0
_LEAST_SPAN: Final = 0.7
_BEND: Final = 0.008
_USUAL, _UNEVEN = 0.15, 1.25
_MOST_THICK: Final = 0.085
_REST: Final = 0.5
"""Of a rule's difference, what its soft edges may leave."""
_AROUND: Final = np.ones((5, 5), np.uint8)


def remove_rules(away_HWC: Float32Array) -> tuple[Float32Array, Float32Array]:
    """Return what stands out from the paper without the straight lines that go all across it.

    Args:
        away_HWC: Signed differences from the paper.

    Returns:
        The differences `(H, W, C)`, and how much of them may be what is left of a rule's soft edges
        `(H, W)`, 0 where there is none.
    """
    height, width = away_HWC.shape[:2]
    if min(height, width) < 2 * _STRIPS:
        return away_HWC, np.zeros((height, width), dtype=np.float32)
    turn_deg = _find_turn(away_HWC)
    turned = cv2.getRotationMatrix2D((width / 2, height / 2), turn_deg, 1.0)
    level_HWC = _turn(away_HWC, turned) if turn_deg else away_HWC
    rows, columns = _find_rules(level_HWC), _find_rules(np.asarray(cv2.transpose(level_HWC)))
    if rows is None and columns is None:
        return away_HWC, np.zeros((height, width), dtype=np.float32)
    row_HW, rows_HWC = _spread(rows, height, width)
    column_WH, columns_WHC = _spread(columns, width, height)
    column_HW, columns_HWC = column_WH.T, columns_WHC.transpose(1, 0, 2)
    # Where two rules cross, their colours do not add up.
    is_row_HW = row_HW >= column_HW
    left_HWC = level_HWC - np.where(is_row_HW[..., None], rows_HWC, columns_HWC)
    strength_HW = np.maximum(row_HW, column_HW)
    if turn_deg:
        left_HWC = _turn(left_HWC, turned, cv2.WARP_INVERSE_MAP)
        strength_HW = _turn(strength_HW, turned, cv2.WARP_INVERSE_MAP)
    return left_HWC, _REST * np.asarray(cv2.dilate(strength_HW, _AROUND))


def _turn(values_HW: Float32Array, matrix: MatLike, direction: int = 0) -> Float32Array:
    height, width = values_HW.shape[:2]
    flags, beyond = direction | cv2.INTER_LINEAR, cv2.BORDER_REPLICATE
    return np.asarray(
        cv2.warpAffine(values_HW, matrix, (width, height), flags=flags, borderMode=beyond)
    )


def _length(away_HWC: Float32Array) -> Float32Array:
    light, red, yellow = cv2.split(away_HWC)
    return np.asarray(cv2.magnitude(light, cv2.magnitude(red, yellow)))


def _find_turn(away_HWC: Float32Array) -> float:
    """Return by how many degrees lines are turned: where most edges lie, folded to one quarter."""
    light_HW = np.ascontiguousarray(away_HWC[..., 0])
    if np.abs(away_HWC[..., 1:]).max() > np.abs(light_HW).max() / 2:
        light_HW = _length(away_HWC)
    light_HW = np.asarray(cv2.GaussianBlur(light_HW, (0, 0), 1.2))
    across = cv2.Sobel(light_HW, cv2.CV_32F, 1, 0, ksize=3)
    down = cv2.Sobel(light_HW, cv2.CV_32F, 0, 1, ksize=3)
    strength_HW, angle_HW = cv2.cartToPolar(across, down, angleInDegrees=True)
    # A pen's edges are as steep as they like, a rule's are long: none shall count for more.
    is_edge_HW = strength_HW > _LEAST_EDGE
    strength = np.minimum(strength_HW[is_edge_HW], _MOST_EDGE)
    turns = (np.mod(angle_HW[is_edge_HW] + 45, 90) - 45 + _MOST_TURN_DEG) * _BINS_PER_DEG
    bins = 2 * _MOST_TURN_DEG * _BINS_PER_DEG + 1
    places = np.rint(turns).astype(np.int64)
    is_turned = (places >= 0) & (places < bins)
    counts = np.bincount(places[is_turned], strength[is_turned], minlength=bins)
    smooth = np.convolve(np.pad(counts, 2, mode="edge"), [0.3, 0.8, 1, 0.8, 0.3], mode="valid")
    best = int(smooth.argmax())
    if not 0 < best < bins - 1:
        return 0.0
    # Between bins, as of a parabola through three of them.
    before, here, after = smooth[best - 1 : best + 2]
    beyond = 0.5 * (after - before) / max(1e-6, 2 * here - before - after)
    turn_deg = (best + float(np.clip(beyond, -0.5, 0.5))) / _BINS_PER_DEG - _MOST_TURN_DEG
    return 0.0 if abs(turn_deg) < _LEAST_TURN_DEG else turn_deg


class _Rules(NamedTuple):
    """The differences that level lines make in each strip, and their strength, 0 elsewhere."""

    away_SRC: Float32Array
    strength_SR: Float32Array


def _find_rules(level_HWC: Float32Array) -> _Rules | None:
    """Return the level lines that go all across, None where there are none."""
    height, width = level_HWC.shape[:2]
    count = min(_STRIPS * _COLUMNS, width // _STRIPS * _STRIPS)
    sampled = np.linspace(0, width - 1, count).round().astype(int)
    columns_RSKC = level_HWC[:, sampled].reshape(height, _STRIPS, -1, 3)
    middle = columns_RSKC.shape[2] // 2
    profile_RSC = np.partition(columns_RSKC, middle, axis=2)[:, :, middle]
    away_SRC = np.ascontiguousarray(profile_RSC.transpose(1, 0, 2))
    whole_SR = _length(away_SRC)
    # A line is narrow: what goes on above and below it is shade, or another piece of paper.
    thick = np.ones((1, int(_MOST_THICK * height) | 1), np.uint8)
    strength_SR = cv2.morphologyEx(whole_SR, cv2.MORPH_TOPHAT, thick)
    is_line_SR = _keep_long(strength_SR > _LEAST_LEVELS, height)
    if not is_line_SR.any():
        return None
    # What is written along a rule is no part of it: it is as strong as elsewhere on the line.
    near_SR = cv2.dilate(strength_SR, np.ones((1, 3), np.uint8))
    usual_R = _UNEVEN * np.quantile(near_SR, _USUAL, axis=0)
    kept_SR = np.where(is_line_SR, np.minimum(strength_SR, usual_R), 0).astype(np.float32)
    away_SRC *= (kept_SR / np.maximum(whole_SR, 1e-6))[..., None]
    return _Rules(away_SRC, kept_SR)


def _spread(rules: _Rules | None, rows: int, columns: int) -> tuple[Float32Array, Float32Array]:
    """Return strength `(H, W)` and difference `(H, W, C)` of rules all over the picture."""
    if rules is None:
        return np.zeros((rows, columns), np.float32), np.zeros((rows, columns, 3), np.float32)
    strip_of_W = np.minimum(np.arange(columns) * _STRIPS // columns, _STRIPS - 1)
    return rules.strength_SR.T[:, strip_of_W], rules.away_SRC.transpose(1, 0, 2)[:, strip_of_W]


def _keep_long(is_line_SR: NDArray[np.bool_], height: int) -> NDArray[np.bool_]:
    """Return the rows of lines that go on through most strips, each perhaps a little higher."""
    reach = np.ones((1, 1 + 2 * round(1 + _BEND * height)), np.uint8)
    is_near_SR = cv2.dilate(is_line_SR.astype(np.uint8), reach)
    # A strip that is full of writing hides it; a stem is long, too, but ends before the picture.
    is_rule_R = is_near_SR.mean(axis=0) >= _LEAST_SPAN
    is_rule_R &= is_near_SR[:2].any(axis=0) & is_near_SR[-2:].any(axis=0)
    return np.asarray(is_line_SR & is_rule_R)
