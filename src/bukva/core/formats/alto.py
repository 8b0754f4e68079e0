"""ALTO XML, versions 2 to 4: what tesseract, kraken, eScriptorium and libraries write.

Read leniently, as real exports do not keep to the schema in all points.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from bukva.core.formats.page_text import (
    PageText,
    Points,
    TextLine,
    Unusable,
    area_of,
    no_points,
    parse_number,
    parse_points,
    to_file_name,
)
from bukva.core.formats.xml_file import Element, find_texts

_PIXEL: Final = "pixel"
_UNITS: Final = (_PIXEL, "mm10", "inch1200")


def read_alto(root: Element) -> PageText:
    """Return the first page of a file, as most have but one; further ones are unusable."""
    unit = next(find_texts(root, ".//MeasurementUnit"), _PIXEL).lower() or _PIXEL
    image = next(find_texts(root, ".//sourceImageInformation/fileName"), "")
    pages = list(root.iter("Page"))
    page = pages[0] if pages else root
    unusable = [Unusable(f"page {place}", "a further page of its file")
                for place in range(2, len(pages) + 1)]  # fmt: skip
    if unit not in _UNITS:
        unusable.append(Unusable("MeasurementUnit", f"unit {unit!r}, taken for pixels"))
    return PageText(
        to_file_name(image),
        parse_number(page.get("WIDTH")),
        parse_number(page.get("HEIGHT")),
        tuple(_read_lines(page)),
        tuple(unusable),
        is_in_pixels=unit not in _UNITS[1:],
    )


def _read_lines(page: Element) -> Iterator[TextLine]:
    for place, line in enumerate(page.iter("TextLine"), start=1):
        box_P2 = _read_box(line)
        name = line.get("ID") or f"line {place}"
        yield TextLine(name, _read_outline(line, box_P2), _read_baseline(line, box_P2), _say(line))


def _read_box(element: Element) -> Points:
    left, top, width, height = (
        parse_number(element.get(name)) for name in ("HPOS", "VPOS", "WIDTH", "HEIGHT")
    )
    if width <= 0 or height <= 0:
        return no_points()
    return _to_corners(left, top, left + width, top + height)


def _read_outline(line: Element, box_P2: Points) -> Points:
    """Return the polygon of a line, or its box; where it has neither, that of its words."""
    polygon = line.find("Shape/Polygon")
    outline_P2 = parse_points(polygon.get("POINTS")) if polygon is not None else no_points()
    if area_of(outline_P2) > 0:
        return outline_P2
    if len(box_P2):
        return box_P2
    words = [box for box in map(_read_box, line.iterfind("String")) if len(box)]
    if not words:
        return no_points()
    points_P2 = np.concatenate(words)
    return _to_corners(*points_P2.min(axis=0), *points_P2.max(axis=0))


def _to_corners(left: float, top: float, right: float, bottom: float) -> Points:
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    return np.array(corners, dtype=np.float64)


def _read_baseline(line: Element, box_P2: Points) -> Points:
    """Return the points of a baseline; before version 4 it is one height for all of the line."""
    points_P2 = parse_points(line.get("BASELINE"))
    if len(points_P2) >= 2 or not len(box_P2):
        return points_P2
    height = parse_number(line.get("BASELINE"))
    if not height:
        return no_points()
    return np.array([(box_P2[0, 0], height), (box_P2[1, 0], height)])


def _say(line: Element) -> str:
    """Return the text of a line: words, blanks between them, a hyphen at the end."""
    has_blanks = line.find("SP") is not None
    text = ""
    for part in line:
        if part.tag == "String":
            text += "" if has_blanks or not text else " "
            text += part.get("CONTENT") or ""
        elif part.tag == "SP":
            text += " "
        elif part.tag == "HYP":
            hyphen = part.get("CONTENT") or "-"
            text += "" if text.endswith(hyphen) else hyphen
    return text.strip()
