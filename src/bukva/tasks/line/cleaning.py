"""Ink of a line without what is no part of it: rules, squares, specks, ends of other lines.

Shapes: H x W pixels, P pieces that hang together.
"""

from typing import Final

import cv2
import numpy as np

from bukva.core.arrays import Float32Array, UInt8Array
from bukva.tasks.line.layout import IS_INK, find_runs, find_slope

_SPECK_PX: Final = 4
_RULE_HEIGHTS: Final = 2.2
"""Of the picture's height: no stroke of a letter lies level for so long."""
_IS_DARK, _UNBROKEN = 0.2, 0.85
_OVERWRITTEN: Final = 1.4
_UPRIGHT, _LEAST_UPRIGHT = 0.9, 3
"""Of the picture's height, and how many: one stroke from rim to rim may be a letter's."""
_RIM: Final = 0.22
"""Share of the height near the rim: what touches the rim and stays within is another line's."""
_STEEP: Final = 0.04
"""Slope from which the ends of a line itself reach the rim."""


def clean(ink_HW: Float32Array) -> Float32Array:
    """Return ink 0..1 without rules, specks, and ends of other lines."""
    ink_HW = _take_rules_off(ink_HW)
    is_ink_HW = (ink_HW > IS_INK).astype(np.uint8)
    count, number_HW, facts_P5, _ = cv2.connectedComponentsWithStats(is_ink_HW, connectivity=8)
    if count == 1:
        return np.zeros_like(ink_HW)
    height = ink_HW.shape[0]
    top_P, height_P, area_P = facts_P5[:, 1], facts_P5[:, 3], facts_P5[:, 4]
    bottom_P = top_P + height_P
    is_above_P = (top_P == 0) & (bottom_P < _RIM * height)
    is_below_P = (bottom_P == height) & (top_P > (1 - _RIM) * height)
    is_foreign_P = area_P < _SPECK_PX
    if abs(find_slope(ink_HW)) < _STEEP:
        is_foreign_P |= is_above_P | is_below_P
    is_foreign_P[0] = False
    if not is_foreign_P.any():
        return ink_HW
    # A little around it, too: soft edges are ink that does not count as such.
    foreign_HW = cv2.dilate(is_foreign_P.astype(np.uint8)[number_HW], np.ones((3, 3), np.uint8))
    return np.where((foreign_HW == 1) & (is_ink_HW == 0), 0, ink_HW * (1 - foreign_HW * is_ink_HW))


def _take_rules_off(ink_HW: Float32Array) -> Float32Array:
    """Return ink without rules that lie level, and without the upright ones of squared paper."""
    height, width = ink_HW.shape
    length = max(40, round(_RULE_HEIGHTS * min(height, 96)))
    if width < length:
        return ink_HW
    ink_HW = _take_long_off(ink_HW, length, least_count=1)
    upright_WH = _take_long_off(ink_HW.T, round(_UPRIGHT * height), least_count=_LEAST_UPRIGHT)
    return np.ascontiguousarray(upright_WH.T)


def _take_long_off(ink_HW: Float32Array, length: int, least_count: int) -> Float32Array:
    """Return ink without what goes on level for a length, but where strokes cross it.

    Args:
        ink_HW: 0..1.
        length: In pixels; what is so long is no stroke of a letter.
        least_count: Of rows that hold such a thing, apart from each other; where they are fewer,
            all is kept.
    """
    height = ink_HW.shape[0]
    dark_HW = (ink_HW > _IS_DARK).astype(np.uint8)
    beyond = cv2.BORDER_CONSTANT
    share_HW = cv2.boxFilter(255 * dark_HW, -1, (length, 1), borderType=beyond)
    seeds_HW = (share_HW > 255 * _UNBROKEN).astype(np.uint8)
    if len(find_runs(np.asarray(seeds_HW.any(axis=1)))) < least_count:
        return ink_HW
    rules_HW = cv2.bitwise_and(cv2.dilate(seeds_HW, np.ones((1, length), np.uint8)), dark_HW)
    # The rim of a rule, and where it steps down by a row.
    near_HW = cv2.dilate(rules_HW, np.ones((3, 9), np.uint8))
    # A stroke that crosses goes on above and below.
    reach = 2 + round(0.03 * min(height, 96))
    beyond_HW = cv2.bitwise_and(dark_HW, 1 - near_HW)
    above_HW = cv2.dilate(beyond_HW, _column(reach, up=True))
    below_HW = cv2.dilate(beyond_HW, _column(reach, up=False))
    is_rule_HW = (near_HW == 1) & (cv2.bitwise_and(above_HW, below_HW) == 0)
    # What is much darker than the rule was written over it.
    is_rule_HW &= ink_HW < _OVERWRITTEN * float(np.median(ink_HW[rules_HW == 1])) + 0.1
    return np.where(is_rule_HW, np.float32(0), ink_HW)


def _column(reach: int, *, up: bool) -> UInt8Array:
    """Return what spreads a pixel down, or up, by some rows and a column to either side."""
    brush = np.zeros((2 * reach + 1, 3), np.uint8)
    brush[reach:] = 1
    return brush if up else brush[::-1].copy()
