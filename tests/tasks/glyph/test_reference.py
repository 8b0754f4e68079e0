import numpy as np
import pandas as pd
import pytest
from stage_runs import small_data

from bukva.tasks.glyph.recogniser import MEASURES
from bukva.tasks.glyph.reference import describe_reference


@pytest.fixture(scope="module")
def reference(random_recogniser):
    data = small_data()
    return describe_reference(random_recogniser, data["sample_table"], data["sample_images"], 2)


def test_every_symbol_of_the_validation_split_takes_part(reference):
    table = small_data()["sample_table"].query("split == 'valid' and corpus != 'nonsymbols'")
    symbols = table.groupby(["label", "is_uppercase"], dropna=False).size()
    assert reference["samples"] == symbols.clip(upper=2).sum()
    assert sum(reference["labels"].values()) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("name", [*MEASURES, "confidence"])
def test_bins_are_about_equally_full(reference, name):
    spread = reference["measures"][name]
    assert len(spread["shares"]) == len(spread["edges"]) + 1
    assert sum(spread["shares"]) == pytest.approx(1, abs=1e-4)
    assert spread["edges"] == sorted(spread["edges"])
    assert max(spread["shares"]) < 0.25


def test_a_measure_that_nobody_knows_has_one_bin(random_recogniser):
    data = small_data()
    table = data["sample_table"].assign(rel_height=np.nan)
    found = describe_reference(random_recogniser, table, data["sample_images"], 1)
    assert found["measures"]["height"] == {"edges": [], "shares": [1.0]}


def test_it_is_the_same_every_time(reference, random_recogniser):
    data = small_data()
    again = describe_reference(random_recogniser, data["sample_table"], data["sample_images"], 2)
    assert again == reference
    assert pd.Series(again["labels"]).ge(0).all()
