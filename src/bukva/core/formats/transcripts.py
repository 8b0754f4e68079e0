"""Whatever file of a transcribed page: which format it is, is told by its root."""

from collections.abc import Callable, Mapping
from typing import Final

from bukva.core.formats.alto import read_alto
from bukva.core.formats.page_text import PageText
from bukva.core.formats.page_xml import read_page_xml
from bukva.core.formats.xml_file import Element, parse_xml
from bukva.errors import TranscriptError

_READERS: Final[Mapping[str, Callable[[Element], PageText]]] = {
    "alto": read_alto,
    "PcGts": read_page_xml,
}


def read_page_text(content: bytes) -> PageText:
    """Return what an ALTO or PAGE file says of its page.

    Raises:
        TranscriptError: If it is neither, or cannot be read.
    """
    root = parse_xml(content)
    reader = _READERS.get(root.tag)
    if reader is None:
        message = f"Expected ALTO or PAGE XML, got a file whose root is {root.tag!r}."
        raise TranscriptError(message)
    return reader(root)
