"""XML files of strangers, read within bounds: no document type, so no entities and no network."""

from collections.abc import Iterator
from typing import Final
from xml.etree import ElementTree

from bukva.errors import TranscriptError

Element = ElementTree.Element

MAX_XML_BYTES: Final = 16 * 1024 * 1024
MAX_DEPTH: Final = 100
"""Of elements within elements; ALTO and PAGE have a dozen."""


def parse_xml(content: bytes) -> Element:
    """Return the root of an XML file, the names of all elements without their namespace.

    Raises:
        TranscriptError: If it is no XML, is too large or too deep, or declares a document type.
    """
    if len(content) > MAX_XML_BYTES:
        limit_mib = MAX_XML_BYTES // 1024**2
        message = f"Expected XML of at most {limit_mib} MiB, got {len(content)} bytes."
        raise TranscriptError(f"{message} Export fewer pages in a file.")
    # Nothing is declared that could be expanded: the builder refuses it before it is read.
    parser = ElementTree.XMLParser(target=_Builder())  # noqa: S314
    try:
        parser.feed(content)
        root: Element = parser.close()
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        if isinstance(error, TranscriptError):
            raise
        raise TranscriptError(f"Expected XML, got something else: {error}.") from None
    return root


class _Builder(ElementTree.TreeBuilder):
    """Takes namespaces off, and refuses what no such file needs."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = 0

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        """Refuse: entities are declared here, which may be endless or lie elsewhere."""
        del pubid, system
        raise TranscriptError(f"Expected XML without a document type, got {name!r}: remove it.")

    def start(self, tag: str, attrs: dict[str, str]) -> Element:
        """Begin an element."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise TranscriptError(f"Expected elements at most {MAX_DEPTH} deep, got more.")
        return super().start(without_namespace(tag), attrs)

    def end(self, tag: str) -> Element:
        """End an element."""
        self._depth -= 1
        return super().end(without_namespace(tag))


def without_namespace(name: str) -> str:
    """Return the name of an element or an attribute as it is in every version of a format."""
    return name.rpartition("}")[2]


def find_texts(element: Element, path: str) -> Iterator[str]:
    """Yield what stands in the elements of a path, without blanks at its ends."""
    for found in element.iterfind(path):
        yield (found.text or "").strip()
