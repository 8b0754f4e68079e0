"""Lines are read with their text, page, label and group, as their tables have them."""

import io
import zipfile
from collections import Counter
from collections.abc import Callable

import pytest

from bukva.core.corpora.lines import (
    read_french_hands,
    read_print_and_hand,
    read_tapuscorpus,
    read_testaments,
)
from bukva.core.corpora.readers import READERS
from bukva.errors import CorpusCorruptError


def pack(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(f"lines/{name}", name.encode())
    return buffer.getvalue()


def test_print_and_hand_gives_both_kinds_of_one_opening() -> None:
    table = (
        "file,page,label,text,corpus,width,height,split_group\n"
        "a.jpg,p_L-0,printed,DATES,l,80,48,p\n"
        'b.jpg,p_L-0,handwritten,"Bail, 12",l,80,48,p\n'
    )
    files = {"lines.csv": table.encode(), "lines.zip": pack("a.jpg", "b.jpg")}
    first, second = read_print_and_hand(files)
    assert (first.name, first.label, first.text, first.page, first.group) == (
        "a.jpg", "printed", "DATES", "p_L-0", "p",
    )  # fmt: skip
    assert (second.label, second.text, second.image) == ("handwritten", "Bail, 12", b"b.jpg")


def test_typewritten_counts_as_printed_and_a_selection_falls_apart_into_its_documents() -> None:
    selection = "europeana-random-selection__letters_21574.pdf_page"
    table = (
        "file,page,label,text\n"
        "a.jpg,doc__1_x,typewritten,Franz\n"
        f"b.jpg,{selection}_47,print,TITRE\n"
        f"c.jpg,{selection}_48,handwritten,bon\n"
    )
    files = {"lines.csv": table.encode(), "lines.zip": pack("a.jpg", "b.jpg", "c.jpg")}
    samples = list(read_tapuscorpus(files))
    assert [each.label for each in samples] == ["printed", "printed", "handwritten"]
    assert samples[0].group == "doc"
    assert samples[1].group == samples[2].group != "europeana-random-selection"


def test_quotation_marks_of_tables_without_quoting_stay_text() -> None:
    wills = 'file\tpage\tline_type\tblock_type\twidth_at_h64\ttext\na.jpg\twill-1\tx\ty\t9\t"Moi\n'
    [will] = read_testaments({"lines.tsv": wills.encode(), "lines.zip": pack("a.jpg")})
    assert (will.text, will.group, will.label) == ('"Moi', "will", "handwritten")
    hands = (
        'file\ttext\tcorpus\tpage\twriter\twidth\theight\tsplit_group\na\tt"\tc\tp\tw\t1\t2\tg\n'
    )
    [hand] = read_french_hands({"lines.tsv": hands.encode(), "lines.zip": pack("a")})
    assert (hand.text, hand.page, hand.group) == ('t"', "p", "g")


def test_an_unknown_kind_is_named() -> None:
    files = {"lines.csv": b"file,page,label,text\na.jpg,d__1,stamp,x\n", "lines.zip": pack()}
    with pytest.raises(CorpusCorruptError, match="'stamp'"):
        list(read_tapuscorpus(files))


def test_a_table_without_its_columns_is_refused() -> None:
    with pytest.raises(CorpusCorruptError, match="split_group"):
        list(read_french_hands({"lines.tsv": b"file\ttext\n", "lines.zip": pack()}))


COUNTS = {
    "print_and_hand": {"printed": 866, "handwritten": 1742},
    "tapuscorpus": {"printed": 3513, "handwritten": 175},
    "testaments": {"handwritten": 2685},
    "french_hands": {"handwritten": 10093},
}


@pytest.mark.corpora
@pytest.mark.parametrize("name", COUNTS)
def test_the_corpora_hold_what_is_known_of_them(
    name: str, read_corpus: Callable[[str], dict[str, bytes]]
) -> None:
    samples = list(READERS[name](read_corpus(name)))
    assert Counter(sample.label for sample in samples) == COUNTS[name]
    assert all(sample.image and sample.group and sample.page for sample in samples)
    assert len({sample.name for sample in samples}) == len(samples)
