"""Sentences are read with their split and language, and have no picture."""

from collections import Counter
from collections.abc import Callable

import pytest

from bukva.core.corpora.texts import read_ukrainian_text
from bukva.errors import CorpusCorruptError, CorpusMissingError

TRAIN, TEST = "uagec_sentences_train.txt", "uagec_sentences_test.txt"


def test_each_line_is_a_sentence_of_its_part() -> None:
    files = {TRAIN: "Перше.\n\nДруге.\n".encode(), TEST: "Третє.".encode()}
    samples = list(read_ukrainian_text(files))
    assert [(each.text, each.split, each.label) for each in samples] == [
        ("Перше.", "train", "uk"), ("Друге.", "train", "uk"), ("Третє.", "test", "uk"),
    ]  # fmt: skip
    assert len({each.name for each in samples}) == 3
    assert all(each.image == b"" for each in samples)


def test_a_missing_part_and_another_encoding_are_named() -> None:
    with pytest.raises(CorpusMissingError, match=TEST):
        list(read_ukrainian_text({TRAIN: b"a"}))
    with pytest.raises(CorpusCorruptError, match=TRAIN):
        list(read_ukrainian_text({TRAIN: "є".encode("cp1251"), TEST: b""}))


@pytest.mark.corpora
def test_the_corpus_holds_what_is_known_of_it(
    read_corpus: Callable[[str], dict[str, bytes]],
) -> None:
    samples = list(read_ukrainian_text(read_corpus("ukrainian_text")))
    assert Counter(each.split for each in samples) == {"train": 29071, "test": 2498}
