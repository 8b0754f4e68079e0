"""PAGE XML, versions 2010 to 2024: what Transkribus, eScriptorium and OCR-D write.

Read leniently, as real exports do not keep to the schema in all points.
"""

import math
import re
from collections.abc import Iterator
from typing import Final

from bukva.core.formats.page_text import (
    PageText,
    Points,
    TextLine,
    no_points,
    parse_number,
    parse_points,
    to_file_name,
)
from bukva.core.formats.xml_file import Element, find_texts

_CUSTOM_ORDER: Final = re.compile(r"readingOrder\s*\{[^}]*index\s*:\s*(\d+)")


def read_page_xml(root: Element) -> PageText:
    """Return the page of a file."""
    page = root.find("Page")
    page = root if page is None else page
    return PageText(
        to_file_name(page.get("imageFilename")),
        parse_number(page.get("imageWidth")),
        parse_number(page.get("imageHeight")),
        tuple(_read_line(line, place) for place, line in enumerate(_in_order(page), start=1)),
    )


def _read_line(line: Element, place: int) -> TextLine:
    return TextLine(
        line.get("id") or f"line {place}",
        _read_points(line.find("Coords")),
        _read_points(line.find("Baseline")),
        _say(line),
    )


def _in_order(page: Element) -> Iterator[Element]:
    """Yield the lines region by region: in the order that is said, the others as they stand."""
    regions = [region for region in page.iter() if region.find("TextLine") is not None]
    said = [ref.get("regionRef") for ref in page.iterfind("ReadingOrder//*[@regionRef]")]
    turns = {name: turn for turn, name in enumerate(said)}
    # A region within another takes the other's turn where it has none of its own.
    for region in list(regions):
        for inner in region.iter():
            name, outer = inner.get("id"), turns.get(region.get("id"))
            if name and outer is not None:
                turns.setdefault(name, outer)
    for region in sorted(regions, key=lambda each: turns.get(each.get("id"), len(said))):
        yield from sorted(region.iterfind("TextLine"), key=_custom_order)


def _custom_order(line: Element) -> float:
    """Return the place of a line in its region as Transkribus writes it; last without one."""
    found = _CUSTOM_ORDER.search(line.get("custom") or "")
    return int(found[1]) if found else math.inf


def _read_points(element: Element | None) -> Points:
    if element is None:
        return no_points()
    if element.get("points") is not None:
        return parse_points(element.get("points"))
    pairs = [f"{point.get('x')},{point.get('y')}" for point in element.iterfind("Point")]
    return parse_points(" ".join(pairs))  # as in 2010


def _say(line: Element) -> str:
    """Return the text of a line, or where it has none, that of its words."""
    text = _choose_text(line)
    return text or " ".join(filter(None, map(_choose_text, line.iterfind("Word"))))


def _choose_text(element: Element) -> str:
    """Return the one of several texts that has the lowest index; the first without any."""
    texts = sorted(element.iterfind("TextEquiv"), key=_index_of)
    if not texts:
        return ""
    said = [*find_texts(texts[0], "Unicode"), *find_texts(texts[0], "PlainText")]
    return next(filter(None, said), "")


def _index_of(text: Element) -> float:
    try:
        return int(text.get("index") or "")
    except ValueError:
        return math.inf
