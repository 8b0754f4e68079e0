"""ALTO and PAGE as programs write them: every line with its place, or with the reason why not."""

import numpy as np
import pytest
from page_files import ALTO, PAGE, write_alto

from bukva.core.formats.page_text import PageText
from bukva.core.formats.transcripts import read_page_text
from bukva.core.formats.xml_file import MAX_XML_BYTES
from bukva.errors import TranscriptError


def alto(lines: str, unit: str = "pixel", width: int = 1000, height: int = 500) -> PageText:
    text = ALTO.format(unit=unit, image="a.jpg", width=width, height=height, lines=lines)
    return read_page_text(text.encode())


def page(regions: str, version: str = "2019-07-15") -> PageText:
    text = PAGE.format(version=version, image="C:\\scans\\a.jpg", width=1000, height=500,
                       regions=regions)  # fmt: skip
    return read_page_text(text.encode())


def test_alto_of_escriptorium() -> None:
    read = read_page_text(
        write_alto(["Où es-tu&#233;?"], [(10, 20, 300, 60)], "a.jpg", (1000, 500))
    )
    [line] = read.lines
    assert (read.image, read.width, read.height) == ("a.jpg", 1000, 500)
    assert (line.name, line.text) == ("l0", "Où es-tué?")
    assert line.outline_P2.tolist() == [[10, 20], [300, 20], [300, 60], [10, 60]]
    assert line.baseline_P2.tolist() == [[10, 60], [300, 60]]


WORDS = """<TextLine ID="a" HPOS="5" VPOS="10" WIDTH="90" HEIGHT="20" BASELINE="28">
<String CONTENT="Tout"/><SP/><String CONTENT="mon"/><SP/>
<String CONTENT="argent-"/><HYP CONTENT="-"/>
</TextLine>
<TextLine ID="b"><String CONTENT="deux" HPOS="5" VPOS="50" WIDTH="20" HEIGHT="9"/>
<String CONTENT="mots" HPOS="30" VPOS="48" WIDTH="20" HEIGHT="9"/></TextLine>"""


def test_alto_of_words_before_version_4() -> None:
    """As tesseract and libraries write it: blanks are elements, or are not there at all."""
    first, second = alto(WORDS).lines
    assert (first.text, second.text) == ("Tout mon argent-", "deux mots")
    assert first.outline_P2.tolist() == [[5, 10], [95, 10], [95, 30], [5, 30]]
    assert first.baseline_P2.tolist() == [[5, 28], [95, 28]]
    assert second.outline_P2.tolist() == [[5, 48], [50, 48], [50, 59], [5, 59]]


@pytest.mark.parametrize(("unit", "per_pixel"), [("mm10", 254 / 300), ("inch1200", 4.0)])
def test_units_of_alto_become_pixels_of_the_image(unit: str, per_pixel: float) -> None:
    size = (1000 * per_pixel, 500 * per_pixel)
    text = write_alto(["a"], [(10, 20, 300, 60)], "a.jpg", size, unit, per_pixel)
    [line] = read_page_text(text).on_image(1000, 500).lines
    np.testing.assert_allclose(line.outline_P2[2], [300, 60], atol=1e-6)


def test_a_size_in_other_units_must_be_known() -> None:
    with pytest.raises(TranscriptError, match="size of the page"):
        alto(WORDS, "mm10", 0, 0).on_image(1000, 500)
    assert len(alto(WORDS, "pixel", 0, 0).on_image(1000, 500).lines) == 2


def test_an_image_of_another_shape_is_refused_and_a_smaller_one_is_not() -> None:
    with pytest.raises(TranscriptError, match="turned, or cut"):
        alto(WORDS).on_image(500, 1000)
    halved = alto(WORDS).on_image(500, 250)
    assert halved.lines[0].outline_P2[2].tolist() == [47.5, 15]


def test_further_pages_and_strange_units_are_named() -> None:
    text = ALTO.format(unit="furlong", image="", width=10, height=10, lines="")
    twice = text.replace("</Layout>", '<Page ID="second"/></Layout>')
    read = read_page_text(twice.encode())
    assert [each.name for each in read.unusable] == ["page 2", "MeasurementUnit"]


def line(name: str, text: str, points: str = "0,0 100,0 100,30 0,30", more: str = "") -> str:
    return f'<TextLine id="{name}" {more}><Coords points="{points}"/>{text}</TextLine>'


def says(text: str, more: str = "") -> str:
    return f"<TextEquiv {more}><Unicode>{text}</Unicode></TextEquiv>"


REGIONS = f"""<TextRegion id="r1"><Coords points="0,0 1,1"/>
{line("third", says("three"), more='custom="readingOrder {index:0;}"')}</TextRegion>
<TextRegion id="r2">
{line("second", says("two"), more='custom="readingOrder {index:1;} structure {type:x;}"')}
{line("first", says("one"), more='custom="readingOrder {index:0;}"')}</TextRegion>
<TextRegion id="unnamed">{line("last", says("four"))}</TextRegion>"""


@pytest.mark.parametrize("version", ["2013-07-15", "2019-07-15", "2024-07-15"])
def test_page_in_reading_order(version: str) -> None:
    read = page(REGIONS, version)
    assert read.image == "a.jpg"
    assert [each.text for each in read.lines] == ["one", "two", "three", "four"]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (says("second", 'index="1"') + says("first", 'index="0"'), "first"),
        (says("without") + says("indexed", 'index="2"'), "indexed"),
        (says("one") + says("other"), "one"),
        ("<TextEquiv><PlainText>plain</PlainText><Unicode/></TextEquiv>", "plain"),
        (f"<Word>{says('two')}</Word><Word>{says('words')}</Word>", "two words"),
        ("", ""),
    ],
)
def test_of_several_texts_the_lowest_index_counts(texts: str, expected: str) -> None:
    [found] = page(f'<TextRegion id="r">{line("a", texts)}</TextRegion>').lines
    assert found.text == expected


def test_points_as_elements() -> None:
    coords = "".join(f'<Point x="{x}" y="{y}"/>' for x, y in ((0, 0), (50, 0), (50, 9)))
    old = f'<TextRegion><TextLine id="a"><Coords>{coords}</Coords></TextLine></TextRegion>'
    [found] = page(old).lines
    assert found.outline_P2.tolist() == [[0, 0], [50, 0], [50, 9]]


@pytest.mark.parametrize(
    ("points", "reason"),
    [
        ("-300,-300 -10,-300 -10,-40", "off the image"),
        ("0,0 NaN,3", "no outline"),
        ("1,2 3", "no outline"),
        ("", "no outline"),
        ("5,5 9,9", "off the image"),
    ],
)
def test_lines_without_a_place_are_named(points: str, reason: str) -> None:
    placed = page(f"<TextRegion>{line('a', says('x'), points)}</TextRegion>").on_image(1000, 500)
    assert not placed.lines
    assert placed.unusable == (("a", reason),)


def test_outlines_end_at_the_rim() -> None:
    read = page(f"<TextRegion>{line('a', says('x'), '-40,-9 1200,-9 1200,30 -40,30')}</TextRegion>")
    [found] = read.on_image(1000, 500).lines
    assert found.outline_P2.tolist() == [[0, 0], [1000, 0], [1000, 30], [0, 30]]


BOMB = b'<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;">]><alto>&y;</alto>'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (BOMB, "document type"),
        (b'<!DOCTYPE alto SYSTEM "http://192.0.2.1/x.dtd"><alto/>', "document type"),
        (b"<a>" * 5000, "deep"),
        (b"<mets/>", "root is 'mets'"),
        (b"\x89PNG", "something else"),
        (b"", "something else"),
        (b'<?xml version="1.0" encoding="klingon"?><alto/>', "klingon"),
        (b"<alto>" + b" " * MAX_XML_BYTES, "at most 16 MiB"),
    ],
)
def test_other_files_are_refused(content: bytes, message: str) -> None:
    with pytest.raises(TranscriptError, match=message):
        read_page_text(content)


def test_files_in_other_encodings_are_read() -> None:
    text = ALTO.format(unit="pixel", image="a.jpg", width=9, height=9, lines=WORDS)
    text = text.replace("UTF-8", "UTF-16")
    assert len(read_page_text(text.encode("utf-16")).lines) == 2
