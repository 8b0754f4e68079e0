"""Rules and squares printed on paper, taken off what stands out from it.

A rule has one colour along all its length. Where a stroke crosses it, the stroke is what differs
from the rule: with the rule's own difference taken off, the stroke is left.

Shapes: H x W pixels, C = 3 channels, S strips across the rules, K columns sampled of each, R rows.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from bukva.core.arrays import Float32Array

_STRIPS: Final = 8
_COLUMNS: Final = 13
_MOST_TURN_DEG: Final = 16
_BINS_PER_DEG: Final = 2
_LEAST_TURN_DEG: Final = 0.2
_LEAST_EDGE, _MOST_EDGE = 12, 40
_LEAST_LEVELS: Final = 3.0
_LEAST_SPAN: Final = 0.7
_MOST_THICK: Final = 0.11
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
    turn_deg = _find_turn(away_HWC)
    height, width = away_HWC.shape[:2]
    turned = cv2.getRotationMatrix2D((width / 2, height / 2), turn_deg, 1.0)
    level_HWC = away_HWC
    if turn_deg:
        level_HWC = cv2.warpAffine(
            away_HWC, turned, (width, height), borderMode=cv2.BORDER_REPLICATE
        )
    rows_HWC = _find_rules(level_HWC)
    columns_HWC = cv2.transpose(_find_rules(cv2.transpose(level_HWC)))
    strength_HW = np.maximum(_length(rows_HWC), _length(columns_HWC))
    if not strength_HW.any():
        return away_HWC, strength_HW
    is_row_HW = _length(rows_HWC) >= _length(columns_HWC)
    left_HWC = level_HWC - np.where(is_row_HW[..., None], rows_HWC, columns_HWC)
    if turn_deg:
        how = {"flags": cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR, "borderMode": cv2.BORDER_REPLICATE}
        left_HWC = cv2.warpAffine(left_HWC, turned, (width, height), **how)
        strength_HW = cv2.warpAffine(strength_HW, turned, (width, height), **how)
    return left_HWC, _REST * cv2.dilate(strength_HW, _AROUND)


def _length(away_HWC: Float32Array) -> Float32Array:
    light, red, yellow = cv2.split(away_HWC)
    return cv2.magnitude(light, cv2.magnitude(red, yellow))


def _find_turn(away_HWC: Float32Array) -> float:
    """Return by how many degrees lines are turned: where most edges lie, folded to one quarter."""
    light_HW = np.ascontiguousarray(away_HWC[..., 0])
    if np.abs(away_HWC[..., 1:]).max() > np.abs(light_HW).max() / 2:
        light_HW = _length(away_HWC)
    light_HW = cv2.GaussianBlur(light_HW, (0, 0), 1.2)
    across = cv2.Sobel(light_HW, cv2.CV_32F, 1, 0, ksize=3)
    down = cv2.Sobel(light_HW, cv2.CV_32F, 0, 1, ksize=3)
    strength_HW, angle_HW = cv2.cartToPolar(across, down, angleInDegrees=True)
    # A pen's edges are as steep as they like, a rule's are long: none shall count for more.
    is_edge_HW = strength_HW > _LEAST_EDGE
    strength = np.minimum(strength_HW[is_edge_HW], _MOST_EDGE)
    folded = np.mod(angle_HW[is_edge_HW] + 45, 90) - 45
    bins = 2 * _MOST_TURN_DEG * _BINS_PER_DEG + 1
    reach = _MOST_TURN_DEG + 0.5 / _BINS_PER_DEG
    counts, _ = np.histogram(folded, bins=bins, range=(-reach, reach), weights=strength)
    smooth = np.convolve(np.pad(counts, 2, mode="edge"), [0.3, 0.8, 1, 0.8, 0.3], mode="valid")
    best = int(smooth.argmax())
    if not 0 < best < bins - 1:
        return 0.0
    # Between bins, as of a parabola through three of them.
    before, here, after = smooth[best - 1 : best + 2]
    beyond = 0.5 * (after - before) / max(1e-6, 2 * here - before - after)
    turn_deg = (best + float(np.clip(beyond, -0.5, 0.5))) / _BINS_PER_DEG - _MOST_TURN_DEG
    return 0.0 if abs(turn_deg) < _LEAST_TURN_DEG else turn_deg


def _find_rules(level_HWC: Float32Array) -> Float32Array:
    """Return the differences that level lines make, 0 elsewhere."""
    height, width = level_HWC.shape[:2]
    count = min(_STRIPS * _COLUMNS, width // _STRIPS * _STRIPS)
    sampled = np.linspace(0, width - 1, count).round().astype(int)
    columns_RSKC = level_HWC[:, sampled].reshape(height, _STRIPS, -1, 3)
    profile_SRC = np.median(columns_RSKC, axis=2).transpose(1, 0, 2)
    whole_SR = np.linalg.norm(profile_SRC, axis=2).astype(np.float32)
    # A line is narrow: what goes on above and below it is shade, or another piece of paper.
    thick = np.ones((1, int(_MOST_THICK * height) | 1), np.uint8)
    strength_SR = cv2.morphologyEx(whole_SR, cv2.MORPH_TOPHAT, thick)
    profile_SRC *= (strength_SR / np.maximum(whole_SR, 1e-6))[..., None]
    is_line_SR = _keep_long(strength_SR > _LEAST_LEVELS, height)
    if not is_line_SR.any():
        return np.zeros_like(level_HWC)
    # What is written along a rule is no part of it: it is as strong as elsewhere on the line.
    near_SR = cv2.dilate(strength_SR, np.ones((1, 3), np.uint8))
    usual_R = 1.25 * np.quantile(near_SR, 0.2, axis=0)
    limit_SR = np.minimum(1.0, usual_R / np.maximum(strength_SR, 1e-6))
    profile_SRC *= (is_line_SR * limit_SR)[..., None]
    strip_of_W = np.minimum(np.arange(width) * _STRIPS // width, _STRIPS - 1)
    return np.ascontiguousarray(profile_SRC.transpose(1, 0, 2)[:, strip_of_W].astype(np.float32))


def _keep_long(is_line_SR: NDArray[np.bool_], height: int) -> NDArray[np.bool_]:
    """Return the rows of lines that go on through most strips, each perhaps a little higher."""
    _, pieces_SR, stats, _ = cv2.connectedComponentsWithStats(
        is_line_SR.astype(np.uint8), connectivity=8
    )
    is_long = stats[:, cv2.CC_STAT_HEIGHT] >= _LEAST_SPAN * len(is_line_SR)
    thickness = stats[:, cv2.CC_STAT_AREA] / np.maximum(stats[:, cv2.CC_STAT_HEIGHT], 1)
    is_long &= thickness <= _MOST_THICK * height
    # A stem is long, too, but ends before the picture does.
    top = stats[:, cv2.CC_STAT_TOP]
    is_long &= (top == 0) & (top + stats[:, cv2.CC_STAT_HEIGHT] == len(is_line_SR))
    is_long[0] = False
    return is_long[pieces_SR]
