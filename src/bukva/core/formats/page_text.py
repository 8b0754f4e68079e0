"""A page as a file of transcriptions has it: lines with outline, baseline and text.

Shapes: P points, x and y.
"""

import math
import re
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bukva.errors import TranscriptError

Points = NDArray[np.float64]
"""`(P, 2)`."""

_SEPARATORS: Final = re.compile(r"[\s,]+")
_LEAST_AREA_PX: Final = 16.0
_LIKE_ASPECT: Final = 0.03
"""By which share the aspect of an image may differ from what its file says."""


class TextLine(NamedTuple):
    """A line of a page.

    Attributes:
        name: What the file calls it; counted where it does not.
        outline_P2: A polygon around it; of no points where the file has none.
        baseline_P2: From its start to its end; of no points where the file has none.
        text: As it stands in the file; empty where nothing was transcribed.
    """

    name: str
    outline_P2: Points
    baseline_P2: Points
    text: str


class Unusable(NamedTuple):
    """Something that cannot be used, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class PageText:
    """What a file says of one page.

    Attributes:
        image: The name of the page's image, without folder; empty where the file does not say.
        width: Of the page, in the unit of all places; 0 where the file does not say.
        height: As the width.
        lines: In the order in which they are read.
        unusable: Lines that have no place, further pages.
        is_in_pixels: Whether places are pixels; else only the page's size tells how many they are.
    """

    image: str
    width: float
    height: float
    lines: tuple[TextLine, ...]
    unusable: tuple[Unusable, ...] = ()
    is_in_pixels: bool = True

    def on_image(self, width: int, height: int) -> "PageText":
        """Return the page with places in pixels of an image, none beyond its rim.

        The image may be larger or smaller than the one that the file was written for. A line of
        which nothing lies on it becomes an unusable one.

        Raises:
            TranscriptError: If the page has another shape, or its size is needed and not known.
        """
        across, down = self._scale_to(width, height)
        lines, unusable = [], list(self.unusable)
        for line in self.lines:
            outline_P2, baseline_P2 = (
                (points_P2 * (across, down)).clip(0, (width, height))
                for points_P2 in (line.outline_P2, line.baseline_P2)
            )
            if area_of(outline_P2) < _LEAST_AREA_PX:
                reason = "off the image" if len(line.outline_P2) else "no outline"
                unusable.append(Unusable(line.name, reason))
            else:
                lines.append(line._replace(outline_P2=outline_P2, baseline_P2=baseline_P2))
        return replace(
            self, width=width, height=height, lines=tuple(lines), unusable=tuple(unusable),
            is_in_pixels=True,
        )  # fmt: skip

    def _scale_to(self, width: int, height: int) -> tuple[float, float]:
        """Return how many pixels of an image are one unit of the page, across and down."""
        if self.width <= 0 or self.height <= 0:
            if self.is_in_pixels:
                return 1.0, 1.0
            raise TranscriptError(
                "Expected the size of the page, as its places are no pixels, got none. Export it "
                "with pixels as unit."
            )
        across, down = width / self.width, height / self.height
        if abs(math.log(across / down)) > _LIKE_ASPECT:
            raise TranscriptError(
                f"Expected an image in the shape of the page, {self.width:g} x {self.height:g}, "
                f"got one of {width} x {height}: is it turned, or cut?"
            )
        return across, down


def area_of(points_P2: Points) -> float:
    """Return the area of a polygon."""
    if len(points_P2) < 3:
        return 0.0
    x_P, y_P = points_P2.T
    return abs(float(x_P @ np.roll(y_P, -1) - y_P @ np.roll(x_P, -1))) / 2


def parse_points(text: str | None) -> Points:
    """Return the points of `x,y x,y` or `x y x y`; none where one of the numbers is none."""
    parts = [part for part in _SEPARATORS.split(text or "") if part]
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        return no_points()
    if len(numbers) % 2 or not all(map(math.isfinite, numbers)):
        return no_points()
    return np.array(numbers, dtype=np.float64).reshape(-1, 2)


def no_points() -> Points:
    """Return the place of what has none."""
    return np.zeros((0, 2))


def parse_number(text: str | None) -> float:
    """Return a number, 0 where there is none."""
    try:
        number = float(text or 0)
    except ValueError:
        return 0.0
    return number if math.isfinite(number) else 0.0


def to_file_name(path: str | None) -> str:
    """Return the last part of a path, whichever way it leans."""
    return (path or "").strip().replace("\\", "/").rpartition("/")[2]
