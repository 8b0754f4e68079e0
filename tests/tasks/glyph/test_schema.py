import numpy as np
import pandas as pd
import pandera.errors
import pytest

from bukva.tasks.glyph.schema import SampleTable

REFUSALS = (pandera.errors.SchemaError, pandera.errors.SchemaErrors)


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "sample_id": ["a/1", "a/2", "b/1"],
            "corpus": ["a", "a", "b"],
            "name": ["1", "2", "1"],
            "label": ["ґ", "7", "о"],
            "is_uppercase": pd.array([True, None, None], dtype="boolean"),
            "group": ["writer 1", None, None],
            "split": ["train", "valid", "test"],
            "sha256": ["0" * 64, "1" * 64, "abcdef0123456789" * 4],
            "is_published": [False, False, True],
            "rel_height": [0.5, np.nan, 1.0],
            "rel_width": [0.2, np.nan, 0.01],
            "rel_center_x": [0.0, np.nan, 1.0],
            "rel_center_y": [0.5, np.nan, 0.5],
        }
    )


def test_a_good_table_passes_as_it_is(table):
    checked = SampleTable.validate(table)
    pd.testing.assert_frame_equal(checked, table, check_dtype=False)
    assert checked["is_uppercase"].dtype == "boolean"


def test_a_table_without_any_group_passes(table):
    SampleTable.validate(table.assign(group=None))


CHANGES = {
    "two rows with one id": ("sample_id", ["a/1", "a/1", "b/1"]),
    "a capital as label": ("label", ["Ґ", "7", "о"]),
    "a letter of another alphabet": ("label", ["ґ", "7", "o"]),
    "no label": ("label", ["ґ", None, "о"]),
    "a digit with a case": ("is_uppercase", pd.array([True, False, None], dtype="boolean")),
    "an unknown split": ("split", ["train", "validation", "test"]),
    "no split": ("split", ["train", None, "test"]),
    "a published sample in training": ("is_published", [True, False, True]),
    "a digest that is none": ("sha256", ["0" * 64, "1" * 63, "2" * 64]),
    "a digest in capitals": ("sha256", ["0" * 64, "1" * 64, "A" * 64]),
    "a symbol higher than its page": ("rel_height", [0.5, np.nan, 1.01]),
    "a symbol without width": ("rel_width", [0.0, np.nan, 0.01]),
    "a centre left of the page": ("rel_center_x", [-0.1, np.nan, 1.0]),
    "a centre below the page": ("rel_center_y", [0.5, np.nan, 1.2]),
    "words for numbers": ("rel_height", ["high", "low", "low"]),
    "no corpus": ("corpus", ["a", None, "b"]),
    "a column of another kind": ("weight", [1.0, 1.0, 1.0]),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_broken_table_is_refused(table, name):
    column, values = CHANGES[name]
    with pytest.raises(REFUSALS, match=column.split("_")[0]):
        SampleTable.validate(table.assign(**{column: values}))


@pytest.mark.parametrize("column", list(SampleTable.to_schema().columns))
def test_a_missing_column_is_named(table, column):
    with pytest.raises(REFUSALS, match=column):
        SampleTable.validate(table.drop(columns=column))


@pytest.mark.parametrize("split", ["valid", "test"])
def test_a_drawing_of_a_visitor_is_not_measured_on(table, split):
    given = table.assign(corpus=["feedback", "a", "b"])
    SampleTable.validate(given)
    with pytest.raises(REFUSALS, match="feedback_is_trained_on"):
        SampleTable.validate(given.assign(split=[split, "valid", "test"]))
