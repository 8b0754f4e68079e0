"""Lines of one's own from a folder, in whatever form a person has them.

Three forms, side by side if need be: ALTO or PAGE files beside the images of their pages; images of
single lines, each with a text file of its name (`a.png` and `a.txt` or `a.gt.txt`); a table
`lines.tsv` or `lines.csv` with the columns `file` and `text`, and `page` where it is known.

Nothing is left out silently: what cannot be used is named, with the reason.

Shapes: N lines, H x W pixels, W of the widest.
"""

import csv
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any, Final, Literal, NamedTuple, Protocol

import numpy as np
import pandas as pd

from bukva.core.arrays import UInt8Array
from bukva.core.corpora.contents import read_table
from bukva.core.formats.page_text import PageText, Unusable
from bukva.core.formats.transcripts import read_page_text
from bukva.core.imaging.decoding import decode_image
from bukva.core.imaging.line_cutting import cut_line
from bukva.errors import CorpusCorruptError, ImageError, TranscriptError
from bukva.tasks.line.charset import least_timesteps
from bukva.tasks.line.collection import stack
from bukva.tasks.line.framing import STRIDE, frame_line
from bukva.tasks.line.transcription import transcribe

OWN: Final = "own"
"""The corpus, and the collection, of these lines."""
_TABLES: Final[Mapping[str, tuple[str, Literal[0, 3]]]] = {
    "lines.tsv": ("\t", csv.QUOTE_NONE),
    "lines.csv": (",", csv.QUOTE_MINIMAL),
}
_IMAGES: Final = (".png", ".jpg", ".jpeg", ".webp")
_TEXTS: Final = (".gt.txt", ".txt")
_COLUMNS: Final = (
    "sample_id", "corpus", "collection", "label", "group", "page", "text", "width_px"
)  # fmt: skip


class Folder(Protocol):
    """Files of a folder, wherever it lies: `bukva.datasets.storage.Files` is one."""

    def names(self) -> list[str]:
        """Return the names of what lies directly below, sorted."""

    def read(self, name: str = "") -> bytes:
        """Return the content of a file."""


class OwnLines(NamedTuple):
    """What a folder holds.

    Attributes:
        table: One row a line, as the sample table of the task has it, but for the split. `group`
            is the page, or where no page is known, the line.
        images_NHW: Row-aligned with it, zeros to the right of each line.
        unusable: Files and lines that cannot be used, and why.
    """

    table: pd.DataFrame
    images_NHW: UInt8Array
    unusable: tuple[Unusable, ...]

    def report(self) -> dict[str, Any]:
        """Return how many lines there are, and the names of what cannot be used by reason."""
        reasons: dict[str, list[str]] = {}
        for name, reason in self.unusable:
            reasons.setdefault(reason, []).append(name)
        pages = self.table["page"].dropna().nunique()
        return {"lines": len(self.table), "pages": int(pages), "unusable": reasons}


class _Found(NamedTuple):
    name: str
    page: str | None
    text: str
    pixels: UInt8Array


def read_own_lines(folder: Folder) -> OwnLines:
    """Return the lines of a folder that can be used, framed, and what cannot."""
    rows: list[tuple[Any, ...]] = []
    lines: list[UInt8Array] = []
    unusable: list[Unusable] = []
    for found in _find(folder):
        line = found if isinstance(found, Unusable) else _take(found)
        if isinstance(line, Unusable):
            unusable.append(line)
            continue
        row, ink_HW = line
        rows.append(row)
        lines.append(ink_HW)
    table = pd.DataFrame(rows, columns=list(_COLUMNS)).assign(is_uppercase=None)
    return OwnLines(table, stack(lines), tuple(unusable))


def _take(found: _Found) -> tuple[tuple[Any, ...], UInt8Array] | Unusable:
    """Return the row of a line and its ink, or why there is none."""
    text = transcribe(found.text, OWN).text
    if not text:
        return Unusable(found.name, "no text")
    try:
        ink_HW = frame_line(found.pixels).ink_hw
    except ImageError as error:
        return Unusable(found.name, f"cannot be read: {error.code}")
    if not ink_HW.any():
        return Unusable(found.name, "no ink")
    if ink_HW.shape[1] // STRIDE < least_timesteps([ord(each) for each in text]):
        return Unusable(found.name, "too narrow for its text")
    group = found.page or found.name
    row = (f"{OWN}/{found.name}", OWN, OWN, "line", group, found.page, text, ink_HW.shape[1])
    return row, ink_HW


def _find(folder: Folder) -> Iterator[_Found | Unusable]:
    """Yield what a folder holds, in all three forms."""
    names = folder.names()
    used: set[str] = set()
    for name in names:
        suffix = PurePosixPath(name).suffix.lower()
        if name in _TABLES:
            yield from _read_table(folder, name, used)
        elif suffix == ".xml":
            yield from _read_page(folder, name, names, used)
    texts = [name for name in names if name.lower().endswith(_TEXTS)]
    images = {_stem(name): name for name in names if _is_image(name)}
    for name in texts:
        yield _read_pair(folder, images.get(_stem(name)), name)
        used.add(images.get(_stem(name), ""))
    yield from (Unusable(name, "no text belongs to it") for name in images.values()
                if name not in used)  # fmt: skip


def _read_table(folder: Folder, name: str, used: set[str]) -> Iterator[_Found | Unusable]:
    """Yield the lines of a table; one in tabs knows no quotes."""
    delimiter, quoting = _TABLES[name]
    columns = frozenset({"file", "text"})
    try:
        rows = list(read_table(folder.read(name), columns, name, delimiter=delimiter,
                               quoting=quoting))  # fmt: skip
    except CorpusCorruptError as error:
        yield Unusable(name, str(error))
        return
    for row in rows:
        used.add(row["file"])
        pixels = _decode(folder, row["file"])
        page = row.get("page") or None
        yield (
            pixels
            if isinstance(pixels, Unusable)
            else _Found(row["file"], page, row["text"], pixels)
        )


def _read_pair(folder: Folder, image: str | None, name: str) -> _Found | Unusable:
    """Return the line of an image and a text file."""
    if image is None:
        return Unusable(name, "no image of this name")
    try:
        text = folder.read(name).decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        return Unusable(name, "text is not UTF-8")
    if len(text.splitlines()) > 1:
        return Unusable(name, "text has several lines")
    pixels = _decode(folder, image)
    return pixels if isinstance(pixels, Unusable) else _Found(image, None, text, pixels)


def _read_page(
    folder: Folder, name: str, names: list[str], used: set[str]
) -> Iterator[_Found | Unusable]:
    """Yield the lines of an ALTO or PAGE file, cut from the image of its page."""
    try:
        page = read_page_text(folder.read(name))
        image = _find_image(page, name, names)
        if image is None:
            raise TranscriptError(f"no image {page.image or PurePosixPath(name).stem} beside it")
        used.add(image)
        pixels = _decode(folder, image, whole=True)
        if isinstance(pixels, Unusable):
            yield pixels
            return
        height, width = pixels.shape[:2]
        placed = page.on_image(width, height)
    except TranscriptError as error:
        yield Unusable(name, str(error))
        return
    yield from (Unusable(f"{name}/{each.name}", each.reason) for each in placed.unusable)
    for line in placed.lines:
        cut = cut_line(pixels, line.outline_P2)
        yield _Found(f"{name}/{line.name}", image, line.text, cut)


def _find_image(page: PageText, name: str, names: list[str]) -> str | None:
    """Return the image that a file names, or the one that is called like the file."""
    if page.image in names and _is_image(page.image):
        return page.image
    stems = (_stem(page.image), _stem(name))
    return next((each for stem in stems for each in names
                 if stem and _is_image(each) and _stem(each) == stem), None)  # fmt: skip


def _decode(folder: Folder, name: str, *, whole: bool = False) -> UInt8Array | Unusable:
    if ".." in PurePosixPath(name).parts:
        return Unusable(name, "lies outside the folder")
    try:
        return decode_image(folder.read(name), whole=whole)
    except (FileNotFoundError, IsADirectoryError):
        return Unusable(name, "no such file")
    except ImageError as error:
        return Unusable(name, f"cannot be read: {error.code}")


def _is_image(name: str) -> bool:
    return name.lower().endswith(_IMAGES)


def _stem(name: str) -> str:
    """Return a name without what tells its kind: `a.gt.txt`, `a.png` and `A.PNG` are one."""
    lowered = name.lower()
    ending = next((each for each in _TEXTS if lowered.endswith(each)), "")
    return lowered.removesuffix(ending) if ending else str(PurePosixPath(lowered).with_suffix(""))


def deal(table: pd.DataFrame, valid_share: float, test_share: float, seed: int) -> pd.Series:
    """Return the split of each line: whole pages where three or more are known, else single lines.

    Also single lines where one page is most of all: too little would be left to learn from.
    """
    rng = np.random.default_rng(seed)
    by_page = _deal_units(table["group"], valid_share, test_share, rng)
    is_enough = by_page.eq("train").mean() >= (1 - valid_share - test_share) / 2
    if is_enough and {"valid", "test"} <= set(by_page):
        return by_page
    return _deal_units(table["sample_id"], valid_share, test_share, rng)


def _deal_units(
    unit: pd.Series, valid_share: float, test_share: float, rng: np.random.Generator
) -> pd.Series:
    """Return splits of whole units: tests and validation get units until they have their share."""
    sizes = unit.value_counts()
    split = pd.Series("train", index=unit.index, dtype=object)
    wanted = {"test": test_share * len(unit), "valid": valid_share * len(unit)}
    for name in rng.permutation(sorted(sizes.index)):
        part = next((part for part, lacking in wanted.items() if lacking > 0), None)
        if part is None:
            break
        split[unit.eq(name)] = part
        wanted[part] -= sizes[name]
    return split
