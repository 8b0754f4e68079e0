"""Readers of zip files: rukopys, comnist and cyrillic_mnist, on small made-up corpora."""

import csv
import io
import unicodedata
import zipfile
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bukva.core.corpora import contents as contents_module
from bukva.core.corpora.comnist import read_comnist
from bukva.core.corpora.cyrillic_mnist import read_cyrillic_mnist
from bukva.core.corpora.readers import READERS
from bukva.core.corpora.rukopys import Box, files_without_row, glyph_box, parse_glyphs, read_rukopys
from bukva.errors import CorpusCorruptError, CorpusError
from bukva.tasks.glyph.charset import LETTERS

TABLE = (
    "label,is_uppercase,top,bottom,left,right,filename\n"
    "а,False,69,130,67,132,glyphs/a-0.png\n"
    "ґ,True,60,140,20,180,glyphs/g-1.png\n"
)


def zipped(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def rukopys(table: str = TABLE, **more: bytes) -> dict[str, bytes]:
    members = {"glyphs.csv": table.encode(), "glyphs/a-0.png": b"PNG a", "glyphs/g-1.png": b"PNG g"}
    return {"dev.zip": zipped({**members, **more})}


def test_rukopys_goes_by_the_table() -> None:
    files = rukopys(**{"glyphs/a-7.png": b"no row"})
    samples = list(read_rukopys(files))
    assert [(s.name, s.image, s.label, s.is_uppercase, s.has_page) for s in samples] == [
        ("glyphs/a-0.png", b"PNG a", "а", False, True),
        ("glyphs/g-1.png", b"PNG g", "ґ", True, True),
    ]
    archive = zipfile.ZipFile(io.BytesIO(files["dev.zip"]))
    assert files_without_row(archive, parse_glyphs(TABLE.encode())) == ["glyphs/a-7.png"]


def test_a_row_without_its_image_is_an_unreadable_sample() -> None:
    table = TABLE + "я,False,1,2,3,4,glyphs/ya-9.png\n"
    assert [(s.name, s.image) for s in read_rukopys(rukopys(table))][2] == ("glyphs/ya-9.png", b"")


def test_a_member_with_a_broken_checksum_does_not_stop_the_reader() -> None:
    files = rukopys()
    files["dev.zip"] = files["dev.zip"].replace(b"PNG a", b"PNG x", 1)
    assert [s.image for s in read_rukopys(files)] == [b"", b"PNG g"]


def test_a_member_that_unpacks_to_too_much_is_an_unreadable_sample(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(contents_module, "MAX_IMAGE_BYTES", 1000)
    members = {"Cyrillic/а/bomb.png": bytes(1001), "Cyrillic/а/good.png": bytes(1000)}
    files = {"Cyrillic.zip": zipped(members, zipfile.ZIP_DEFLATED)}
    assert [len(s.image) for s in read_comnist(files)] == [0, 1000]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("label,filename\nа,x.png\n", "is_uppercase"),
        (TABLE + "ы,False,1,2,3,4,glyphs/y-0.png\n", "glyphs/y-0.png"),
        (TABLE + "А,True,1,2,3,4,glyphs/A-0.png\n", "lower-case"),
        (TABLE + "а,False,1,2,3,4,glyphs/a-0.png\n", "one row for glyphs/a-0.png"),
        (TABLE + "а,False\n", "line 4"),
        (TABLE + "а,yes,1,2,3,4,glyphs/a-2.png\n", "True or False"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(table: str, message: str) -> None:
    with pytest.raises(CorpusCorruptError, match=message):
        list(read_rukopys(rukopys(table)))


def test_the_boxes_columns_are_exchanged() -> None:
    first = parse_glyphs(TABLE.encode())[1]
    assert glyph_box(first) == Box(left=60, top=20, right=140, bottom=180)


@pytest.mark.parametrize("reader", ["rukopys", "comnist", "cyrillic_mnist"])
@given(st.binary(max_size=100))
def test_an_archive_that_does_not_open_is_named(reader: str, content: bytes) -> None:
    names = {
        "rukopys": "dev.zip",
        "comnist": "Cyrillic.zip",
        "cyrillic_mnist": "images_28x28_packbits.npz",
    }
    with pytest.raises(CorpusCorruptError, match=names[reader]):
        list(READERS[reader]({names[reader]: content, "labels.csv": b""}))


def test_comnist_goes_by_folders_and_leaves_out_russian_letters() -> None:
    decomposed = unicodedata.normalize("NFD", "й")
    members = {
        "Cyrillic/": b"",
        "Cyrillic/Ж/1.png": b"1",
        "Cyrillic/ы/2.png": b"2",
        f"Cyrillic/{decomposed}/3.png": b"3",
        "Cyrillic/ж/notes.txt": b"4",
        "5.png": b"5",
    }
    samples = list(read_comnist({"Cyrillic.zip": zipped(members)}))
    assert [(s.label, s.image, s.is_uppercase) for s in samples] == [
        ("ж", b"1", None),
        ("й", b"3", None),
    ]


def packed(images: list[np.ndarray[Any, Any]]) -> bytes:
    buffer = io.BytesIO()
    bits = np.packbits(np.stack(images).reshape(len(images), -1), axis=1)
    np.savez_compressed(buffer, bits=bits)
    return buffer.getvalue()


def cyrillic_mnist(rows: list[tuple[str, str, str, str, str]]) -> dict[str, bytes]:
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(["filename", "letter", "is_uppercase", "batch_ts", "corner_ink"])
    writer.writerows(rows)
    generator = np.random.default_rng(0)
    images = [generator.integers(0, 2, (28, 28), dtype=np.uint8) for _ in rows]
    return {
        "images_28x28_packbits.npz": packed(images),
        "labels.csv": table.getvalue().encode(),
    }


def test_cyrillic_mnist_leaves_out_other_alphabets_and_pieces_of_the_frame() -> None:
    files = cyrillic_mnist(
        [
            ("1.png", "а", "True", "2019", "False"),
            ("2.png", "ә", "True", "2019", "False"),
            ("3.png", "б", "True", "2019", "True"),
            ("4.png", "і", "False", "2020", "False"),
        ]
    )
    samples = list(read_cyrillic_mnist(files))
    assert [(s.name, s.label, s.is_uppercase, s.group) for s in samples] == [
        ("1.png", "а", True, "2019"),
        ("4.png", "і", False, "2020"),
    ]
    generator = np.random.default_rng(0)
    expected = [generator.integers(0, 2, (28, 28), dtype=np.uint8) for _ in range(4)]
    np.testing.assert_array_equal(samples[0].image, expected[0] * 255)
    np.testing.assert_array_equal(samples[1].image, expected[3] * 255)


def test_cyrillic_mnist_refuses_a_table_of_another_length() -> None:
    files = cyrillic_mnist([("1.png", "а", "True", "2019", "False")] * 2)
    files["labels.csv"] = b"\n".join(files["labels.csv"].splitlines()[:-1])
    with pytest.raises(CorpusCorruptError, match="2 images and 1 rows"):
        list(read_cyrillic_mnist(files))


def test_cyrillic_mnist_unpickles_nothing() -> None:
    buffer = io.BytesIO()
    np.savez(buffer, bits=np.array([{"evil": 1}], dtype=object))
    files = cyrillic_mnist([("1.png", "а", "True", "1", "False")])
    files["images_28x28_packbits.npz"] = buffer.getvalue()
    with pytest.raises(CorpusCorruptError, match="npy array"):
        list(read_cyrillic_mnist(files))


@pytest.mark.parametrize("name", list(READERS))
def test_a_corpus_without_its_files_is_refused_by_name(name: str) -> None:
    with pytest.raises(CorpusError, match="Expected the file"):
        list(READERS[name]({"other.bin": b""}))


def ink_box(png: bytes) -> Box:
    ink = np.asarray(Image.open(io.BytesIO(png)).convert("L")) < 128
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    return Box(int(columns[0]), int(rows[0]), int(columns[-1]), int(rows[-1]))


@pytest.mark.corpora
def test_the_boxes_of_rukopys_are_those_of_the_ink(read_corpus: Any) -> None:
    files = read_corpus("rukopys")
    table = zipfile.ZipFile(io.BytesIO(files["dev.zip"])).read("glyphs.csv")
    boxes = {row["filename"]: glyph_box(row) for row in parse_glyphs(table)}
    samples = list(read_rukopys(files))
    wrong = [s.name for s in samples if boxes[s.name] != ink_box(bytes(s.image))]
    assert len(samples) == 1336
    assert wrong == ["glyphs/p-18.png", "glyphs/p-19.png"]  # by 1 px, and by 8


@pytest.mark.corpora
def test_dev_holds_every_row_and_image_of_master(read_corpus: Any) -> None:
    files = read_corpus("rukopys")
    dev, master = (zipfile.ZipFile(io.BytesIO(files[f"{name}.zip"])) for name in ("dev", "master"))
    old = parse_glyphs(master.read("glyphs.csv"))
    new = {row["filename"]: row for row in parse_glyphs(dev.read("glyphs.csv"))}
    assert len(old) == 1081
    for row in old:
        name = row["filename"]
        assert dev.read(name) == master.read(name)
        assert (new[name]["label"], new[name]["is_uppercase"]) == (
            row["label"],
            row["is_uppercase"],
        )


@pytest.mark.corpora
def test_comnist_and_cyrillic_mnist_counts(read_corpus: Any) -> None:
    comnist = list(read_comnist(read_corpus("comnist")))
    assert len(comnist) == 11_326
    assert {s.label for s in comnist} == set(LETTERS) - set("ґєії")
    cursive = list(read_cyrillic_mnist(read_corpus("cyrillic_mnist")))
    assert len(cursive) == 76_681
    assert {s.label for s in cursive} == set(LETTERS) - set("ґєї")
