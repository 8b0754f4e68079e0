"""Lines of one's own are read in all three forms; what cannot be used is named."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from line_corpora import draw_page
from page_files import draw_lines, encode, write_alto

from bukva.datasets.storage import Files
from bukva.tasks.line.own_lines import OwnLines, deal, read_own_lines

TEXTS = ("добрий день", "щука й рак", "12 гривень")


def read(folder: Path) -> OwnLines:
    return read_own_lines(Files(str(folder)))


def texts_of(own: OwnLines) -> list[str]:
    return sorted(own.table["text"])


def test_images_with_text_files(tmp_path: Path) -> None:
    for place, text in enumerate(TEXTS):
        (tmp_path / f"{place}.PNG").write_bytes(draw_page(text, place))
        ending = ".gt.txt" if place else ".txt"
        (tmp_path / f"{place}{ending}").write_text(f"{text}\n", encoding="utf-8-sig")
    own = read(tmp_path)
    assert texts_of(own) == sorted(TEXTS)
    assert own.table["page"].isna().all()
    assert own.images_NHW.shape == (3, 48, own.table["width_px"].max())
    assert not own.unusable


@pytest.mark.parametrize("name", ["lines.tsv", "lines.csv"])
def test_a_table(tmp_path: Path, name: str) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "a.png").write_bytes(draw_page(TEXTS[0]))
    between = "\t" if name.endswith("tsv") else ","
    rows = ("file text page", f"below/a.png {TEXTS[0].replace(' ', '_')} p1", "b.png x p1",
            "../c.png x p1")  # fmt: skip
    content = "\n".join(row.replace(" ", between) for row in rows)
    (tmp_path / name).write_text(content.replace("_", " "), encoding="utf-8")
    own = read(tmp_path)
    assert texts_of(own) == [TEXTS[0]]
    assert own.table["page"].tolist() == ["p1"]
    assert own.report()["unusable"] == {
        "no such file": ["b.png"], "lies outside the folder": ["../c.png"]
    }  # fmt: skip


def test_lines_are_cut_from_pages(tmp_path: Path) -> None:
    page_HW, boxes = draw_lines(TEXTS)
    (tmp_path / "page.png").write_bytes(encode(page_HW))
    size = page_HW.shape[::-1]
    (tmp_path / "page.xml").write_bytes(write_alto(TEXTS, boxes, "elsewhere.jpg", size))
    own = read(tmp_path)
    assert own.table["text"].tolist() == list(TEXTS)
    assert own.table["group"].unique().tolist() == ["page.png"]
    for place, text in enumerate(TEXTS):
        (tmp_path / "line.png").write_bytes(draw_page(text, place))
        (tmp_path / "line.txt").write_text(text)
        alone = read(tmp_path)
        ink_HW = alone.images_NHW[alone.table["sample_id"].eq("own/line.png").to_numpy()][0]
        cut_HW = own.images_NHW[place]
        width = min(ink_HW.shape[1], cut_HW.shape[1])
        assert np.corrcoef(ink_HW[:, :width].ravel(), cut_HW[:, :width].ravel())[0, 1] > 0.9


def test_a_page_larger_than_what_a_service_takes_is_cut_in_all_its_pixels(tmp_path: Path) -> None:
    page_HW, boxes = draw_lines(TEXTS)
    wide_HW = np.pad(page_HW, ((0, 3000), (0, 2500)), constant_values=225)
    (tmp_path / "page.png").write_bytes(encode(wide_HW))
    (tmp_path / "page.xml").write_bytes(write_alto(TEXTS, boxes, "page.png", wide_HW.shape[::-1]))
    large = read(tmp_path)
    (tmp_path / "page.png").write_bytes(encode(page_HW))
    (tmp_path / "page.xml").write_bytes(write_alto(TEXTS, boxes, "page.png", page_HW.shape[::-1]))
    small = read(tmp_path)
    np.testing.assert_array_equal(large.images_NHW, small.images_NHW)


def test_what_cannot_be_used_is_named(tmp_path: Path) -> None:
    blank = encode(np.full((60, 300), 220, dtype=np.uint8))
    files = {
        "mets.xml": b"<mets/>", "alone.xml": write_alto(["x"], [(0, 0, 9, 9)], "gone.jpg", (9, 9)),
        "blank.png": blank, "blank.txt": b"text", "silent.png": draw_page("x"),
        "silent.txt": b" \n", "long.png": draw_page("x"), "long.txt": b"so much text on one letter",
        "lost.txt": b"x", "broken.png": b"\x89PNG\r\n\x1a\nrest", "broken.txt": b"x",
        "latin.png": draw_page("x"), "latin.txt": "é".encode("latin-1"), "spare.png": blank,
        "two.png": draw_page("x"), "two.txt": b"a\nb", "notes.pdf": b"%PDF",
    }  # fmt: skip
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    found = dict(read(tmp_path).unusable)
    assert found["mets.xml"].startswith("Expected ALTO or PAGE XML")
    assert "no image gone.jpg beside it" in found["alone.xml"]
    assert found["blank.png"] == "no ink"
    assert found["silent.png"] == "no text"
    assert found["long.png"] == "too narrow for its text"
    assert found["lost.txt"] == "no image of this name"
    assert found["broken.png"] == "cannot be read: undecodable_image"
    assert found["latin.txt"] == "text is not UTF-8"
    assert found["two.txt"] == "text has several lines"
    assert found["spare.png"] == "no text belongs to it"
    assert len(found) == 10


def table_of(pages: list[str | None]) -> pd.DataFrame:
    names = [f"own/{place}" for place in range(len(pages))]
    group = [page or name for page, name in zip(pages, names, strict=True)]
    return pd.DataFrame({"sample_id": names, "group": group, "page": pages})


def test_pages_are_not_torn_apart() -> None:
    table = table_of([f"p{place // 10}" for place in range(80)])
    split = deal(table, 0.15, 0.2, seed=1)
    assert split.groupby(table["group"]).nunique().eq(1).all()
    assert split.value_counts().to_dict() == {"train": 40, "valid": 20, "test": 20}


@pytest.mark.parametrize("pages", [[None] * 20, ["p1"] * 10 + ["p2"] * 10, ["p"] * 18 + ["q", "r"]])
def test_lines_are_dealt_out_where_pages_are_few(pages: list[str | None]) -> None:
    counts = deal(table_of(pages), 0.15, 0.2, seed=1).value_counts().to_dict()
    assert counts["train"] >= 10
    assert counts["valid"] >= 1
    assert counts["test"] >= 1


def test_nothing_at_all(tmp_path: Path) -> None:
    own = read(tmp_path)
    assert not len(deal(own.table, 0.15, 0.2, seed=1))
    assert own.report() == {"lines": 0, "pages": 0, "unusable": {}}
