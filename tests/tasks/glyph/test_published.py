import hashlib
from typing import Any

import numpy as np
import pytest

from bukva.core.corpora.idx import read_idx
from bukva.core.corpora.rukopys import read_glyphs_csv
from bukva.errors import CorpusCorruptError
from bukva.tasks.glyph.published import published_csv, published_names, published_split


def small_table(letters: int = 20) -> bytes:
    rows = [f"а,{bool(i % 2)},glyphs/a-{i}.png" for i in range(letters)]
    return "\n".join(["label,is_uppercase,filename", *rows]).encode()


def test_rows_name_the_samples_that_they_are() -> None:
    labels = np.tile(np.arange(10, dtype=np.uint8)[::-1], 60)
    table = published_split(small_table(), labels).set_index("filename")
    assert len(table) == 520
    assert (table["split"] == "test").sum() == 300
    thirteenth_seven = table.loc["glyphs/7-12.png"]
    assert thirteenth_seven["name"] == "test-00122"  # 12 whole rounds of ten, then 9, 8, 7
    assert (thirteenth_seven["label"], thirteenth_seven["is_uppercase"]) == ("7", 1)
    letter = table.loc["glyphs/a-3.png"]
    assert (letter["corpus"], letter["name"], letter["is_uppercase"]) == (
        "rukopys",
        "glyphs/a-3.png",
        1,
    )
    assert letter["lbl_code"] == 10


def test_names_of_both_parts_are_disjoint_and_complete() -> None:
    table = published_split(small_table(), np.tile(np.arange(10, dtype=np.uint8), 50))
    train, test = published_names(table, "train"), published_names(table, "test")
    for corpus, total in (("mnist", 500), ("rukopys", 20)):
        assert not train[corpus] & test[corpus]
        assert len(train[corpus]) + len(test[corpus]) == total


def test_too_few_digits_are_refused() -> None:
    labels = np.tile(np.arange(10, dtype=np.uint8), 50)
    with pytest.raises(CorpusCorruptError, match="digit 9"):
        published_split(small_table(), labels[:-1])


@pytest.mark.corpora
def test_the_split_is_the_published_one_to_the_byte(read_corpus: Any) -> None:
    archive = read_corpus("rukopys")["master.zip"]
    labels = read_idx(read_corpus("mnist")["t10k-labels-idx1-ubyte.gz"], "labels", dimensions=1)
    table = published_split(read_glyphs_csv(archive, "master.zip"), labels)
    digests = [
        hashlib.md5(published_csv(table, split), usedforsecurity=False).hexdigest()
        for split in ("test", "train")
    ]
    assert digests == ["4a90611810519a1727d453b4c79cabf7", "2d4dccf04ccc0ddf586e38dbece3f7d6"]
    sizes = {corpus: len(names) for corpus, names in published_names(table, "test").items()}
    assert sizes == {"mnist": 101, "rukopys": 199}
