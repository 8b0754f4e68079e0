import numpy as np
import pytest

from bukva.core.corpora.sklearn_digits import read_sklearn_digits
from bukva.tasks.glyph.charset import SYMBOLS, to_symbol
from bukva.tasks.glyph.embedded import draw_letters_and_digits


@pytest.fixture(scope="module")
def samples():
    return list(draw_letters_and_digits(samples_per_symbol=3, seed=7))


def test_every_symbol_comes_as_often_and_is_labelled(samples):
    symbols = [to_symbol(sample.label, sample.is_uppercase) for sample in samples]
    assert symbols == [symbol for symbol in SYMBOLS for _ in range(3)]
    assert all(sample.is_uppercase is None for sample in samples if sample.label.isdigit())
    assert all(sample.has_page for sample in samples)


def test_names_say_symbol_and_index(samples):
    names = [sample.name for sample in samples]
    assert len(set(names)) == len(names)
    assert "strokes-Ґ-0002" in names


def test_no_two_pages_are_the_same(samples):
    assert len({sample.image.tobytes() for sample in samples}) == len(samples)


def test_the_same_seed_gives_the_same_bytes(samples):
    again = draw_letters_and_digits(samples_per_symbol=3, seed=7)
    for sample, same in zip(samples, again, strict=True):
        np.testing.assert_array_equal(sample.image, same.image)


def test_another_seed_gives_other_pages(samples):
    others = draw_letters_and_digits(samples_per_symbol=3, seed=8)
    assert not any(
        np.array_equal(sample.image, other.image)
        for sample, other in zip(samples, others, strict=True)
    )


def test_fewer_samples_are_the_first_of_more(samples):
    more = {sample.name: sample.image for sample in samples}
    for sample in draw_letters_and_digits(samples_per_symbol=1, seed=7):
        np.testing.assert_array_equal(sample.image, more[sample.name])


def test_the_digits_of_scikit_learn_are_pages_with_dark_ink():
    digits = list(read_sklearn_digits())
    assert len(digits) == 1797
    assert [digit.label for digit in digits[:10]] == list("0123456789")
    assert digits[123].name == "digits-0123"
    assert not any(digit.has_page or digit.is_uppercase is not None for digit in digits)
    for digit in digits:
        assert digit.image.dtype == np.uint8
        assert digit.image.min() < 60
        assert np.median(digit.image) == 255


def test_enlarged_digits_keep_their_shape():
    from sklearn.datasets import load_digits

    pages = np.stack([digit.image for digit in read_sklearn_digits()])[:200]
    cells = 255.0 - pages[:, 16:-16, 16:-16].reshape(200, 8, 8, 8, 8).mean(axis=(2, 4))
    flat = zip(cells.reshape(200, 64), load_digits().data[:200], strict=True)
    assert min(np.corrcoef(enlarged, cell)[0, 1] for enlarged, cell in flat) > 0.85
