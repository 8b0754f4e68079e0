"""What comes behind what: counted, smoothed, kept as a file."""

import numpy as np
import pytest

from bukva.errors import CharsetError, ModelFormatError
from bukva.tasks.line.charset import UKRAINIAN, Charset
from bukva.tasks.line.language_model import LanguageModel

TEXTS = ["мама мила раму", "мама мила вікно", "тато мив вікно"]


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    return LanguageModel.count(TEXTS, UKRAINIAN, order=4, least_count=1, corpora=["own"])


def key_of(model: LanguageModel, text: str) -> int:
    key = np.zeros(1, dtype=np.uint64)
    for index in UKRAINIAN.encode(text):
        key = model.push(key, np.array([index]))
    return int(key[0])


@pytest.mark.parametrize("context", ["", "м", "мам", "зовсім інше ґ"])
def test_chances_of_characters_sum_to_one_in_every_context(
    model: LanguageModel, context: str
) -> None:
    chances_K = np.exp(model.row(key_of(model, context)))
    assert chances_K[1:].sum() == pytest.approx(1, abs=1e-4)
    assert chances_K[0] < 1e-20
    assert chances_K[1:].min() > 0


def test_what_was_seen_is_likelier(model: LanguageModel) -> None:
    row_K = model.row(key_of(model, "вікн"))
    [seen], [unseen] = UKRAINIAN.encode("о"), UKRAINIAN.encode("ґ")
    assert row_K[seen] > row_K[unseen] + 3
    likely, unlikely = (model.log_likelihood(UKRAINIAN.encode(each)) for each in ("мила", "алим"))
    assert likely > unlikely


def test_the_beginning_of_a_text_is_a_context(model: LanguageModel) -> None:
    row_K = model.row(key_of(model, ""))
    [first], [inside] = UKRAINIAN.encode("м"), UKRAINIAN.encode("к")
    assert row_K[first] > row_K[inside]


def test_the_file_brings_everything_back_and_needs_no_pickle(model: LanguageModel) -> None:
    content = model.to_bytes()
    again = LanguageModel.from_bytes(content)
    assert again.spec == model.spec
    assert again.spec["corpora"] == ["own"]
    assert again.spec["counted_characters"] == sum(map(len, TEXTS))
    np.testing.assert_array_equal(again.row(key_of(again, "мам")), model.row(key_of(model, "мам")))
    assert again.to_bytes() == content


def test_rare_runs_are_left_out() -> None:
    whole, pruned = (
        LanguageModel.count(TEXTS, UKRAINIAN, order=4, least_count=least, corpora=[])
        for least in (1, 2)
    )
    assert len(pruned.to_bytes()) < len(whole.to_bytes())
    chances_K = np.exp(pruned.row(key_of(pruned, "віл")))
    assert chances_K[1:].sum() == pytest.approx(1, abs=1e-4)


def test_what_is_no_language_model_is_named(model: LanguageModel) -> None:
    for content in (b"", b"PK\x03\x04", model.to_bytes()[:200]):
        with pytest.raises(ModelFormatError, match="language model"):
            LanguageModel.from_bytes(content)


def test_a_charset_that_does_not_fit_in_eight_bits_is_refused() -> None:
    large = Charset("".join(chr(0x4E00 + place) for place in range(300)))
    with pytest.raises(CharsetError, match="255"):
        LanguageModel.count([], large, order=2, least_count=1, corpora=[])
