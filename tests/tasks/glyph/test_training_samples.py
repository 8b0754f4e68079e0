import dataclasses

import numpy as np
import pandas as pd
import pytest

from bukva.errors import ParameterError
from bukva.tasks.glyph.charset import encode
from bukva.tasks.glyph.training_samples import select_samples


@pytest.fixture
def table() -> pd.DataFrame:
    """Return 8 drawn letters, 2 photographed ones, 4 digits; one letter is for validation."""
    rows = [("drawn", "а", False)] * 6 + [("drawn", "а", True)] + [("drawn", "б", False)]
    rows += [("photo", "а", False), ("photo", "ж", pd.NA)] + [("digits", "7", pd.NA)] * 4
    table = pd.DataFrame(rows, columns=["corpus", "label", "is_uppercase"])
    table["is_uppercase"] = table["is_uppercase"].astype("boolean")
    table["sample_id"] = [f"s{row}" for row in table.index]
    table["split"] = "train"
    table.loc[0, "split"] = "valid"
    for feature in ("rel_height", "rel_width", "rel_center_x", "rel_center_y"):
        table[feature] = np.linspace(0.1, 0.9, len(table))
    table.loc[3, "rel_height"] = np.nan
    return table


@pytest.fixture
def images(table):
    return np.arange(len(table), dtype=np.uint8)[:, None, None] * np.ones((1, 28, 28), np.uint8)


def shares(samples, table):
    """Return the chance of each corpus and symbol of being drawn."""
    chosen = table.loc[samples.images_NHW[:, 0, 0]]
    weights = pd.Series(samples.weights_N / samples.weights_N.sum(), index=chosen.index)
    symbol = chosen["label"] + chosen["is_uppercase"].astype(str)
    return weights.groupby(chosen["corpus"]).sum(), weights.groupby(
        [chosen["corpus"], symbol]
    ).sum()


def test_a_corpus_that_is_not_in_the_table_is_refused_unless_its_weight_is_zero(table, images):
    with pytest.raises(ParameterError, match=r"\['drawing'\].*weight 0"):
        select_samples(table, images, "train", {"drawn": 1.0, "drawing": 1.0}, 0.5)
    samples = select_samples(table, images, "train", {"drawn": 1.0, "drawing": 0.0}, 0.5)
    assert len(samples) == 7


@pytest.mark.parametrize("class_balance", [0.0, 0.5, 1.0])
def test_each_corpus_gets_its_share(table, images, class_balance):
    corpora = {"drawn": 1.0, "photo": 2.0, "digits": 5.0}
    by_corpus, _ = shares(select_samples(table, images, "train", corpora, class_balance), table)
    assert by_corpus.to_dict() == pytest.approx({"digits": 5 / 8, "drawn": 1 / 8, "photo": 2 / 8})


@pytest.mark.parametrize(
    ("class_balance", "expected"),
    [
        (0.0, [5 / 7, 1 / 7, 1 / 7]),
        (0.5, [5**0.5 / (5**0.5 + 2), 1 / (5**0.5 + 2), 1 / (5**0.5 + 2)]),
        (1.0, [1 / 3, 1 / 3, 1 / 3]),
    ],
)
def test_class_balance_goes_from_frequency_to_equality(table, images, class_balance, expected):
    samples = select_samples(table, images, "train", {"drawn": 1.0}, class_balance)
    _, by_symbol = shares(samples, table)
    symbols = [("drawn", "аFalse"), ("drawn", "аTrue"), ("drawn", "бFalse")]
    assert by_symbol[symbols].to_list() == pytest.approx(expected)


def test_rows_become_arrays_in_their_order(table, images):
    corpora = {"drawn": 1.0, "photo": 1.0}
    samples = select_samples(table, images, "train", corpora, 0.0)
    assert len(samples) == 9
    np.testing.assert_array_equal(samples.images_NHW[:, 0, 0], range(1, 10))
    assert samples.labels_N.tolist() == [encode(label) for label in "аааааабаж"]
    np.testing.assert_array_equal(samples.uppercase_N, [0, 0, 0, 0, 0, 1, 0, 0, np.nan])
    assert np.isnan(samples.page_NF).sum() == 1
    assert np.isnan(samples.page_NF[2, 0])


def test_a_split_and_a_corpus_that_are_not_named_stay_out(table, images):
    assert len(select_samples(table, images, "valid", {"drawn": 1.0}, 0.0)) == 1
    assert len(select_samples(table, images, "test", {"drawn": 1.0}, 0.0)) == 0
    assert set(select_samples(table, images, "train", {"digits": 1.0}, 0.0).labels_N) == {7}


@pytest.mark.parametrize("field", ["images_NHW", "page_NF", "labels_N", "uppercase_N", "weights_N"])
def test_the_digest_sees_every_array(drawn_samples, field):
    values = getattr(drawn_samples, field).copy()
    values.reshape(-1)[-1] += 1
    changed = dataclasses.replace(drawn_samples, **{field: values})
    assert changed.digest() != drawn_samples.digest()


def test_the_digest_is_of_what_is_held(drawn_samples):
    fields = dataclasses.fields(drawn_samples)
    copies = {field.name: getattr(drawn_samples, field.name).copy() for field in fields}
    assert dataclasses.replace(drawn_samples, **copies).digest() == drawn_samples.digest()
