"""Samples that are photographed, by their corpus and split."""

import numpy as np
import pandas as pd
import pytest
from stage_runs import small_data

from bukva.tasks.glyph.charset import NO_SYMBOL
from bukva.tasks.glyph.embedded import PHOTOGRAPHS
from bukva.tasks.glyph.feedback.collection import FEEDBACK
from bukva.tasks.glyph.photographed import add_photographs, sources_of


@pytest.fixture(scope="module")
def samples() -> tuple[pd.DataFrame, np.ndarray]:
    table, images_NHW = small_data()["sample_table"], small_data()["sample_images"]
    given = table.tail(3).assign(corpus=FEEDBACK, sample_id=["f/1", "f/2", "f/3"], split="train")
    return pd.concat([table, given], ignore_index=True), np.concatenate(
        [images_NHW, images_NHW[-3:]]
    )


@pytest.fixture(scope="module")
def added(samples: tuple[pd.DataFrame, np.ndarray]) -> tuple[pd.DataFrame, np.ndarray]:
    return add_photographs(*samples, per_symbol=2, seed=1)


def test_photographs_come_after_the_samples_that_they_show(
    samples: tuple[pd.DataFrame, np.ndarray], added: tuple[pd.DataFrame, np.ndarray]
) -> None:
    (before, images_NHW), (table, all_NHW) = samples, added
    pd.testing.assert_frame_equal(table.head(len(before)), before, check_dtype=False)
    np.testing.assert_array_equal(all_NHW[: len(before)], images_NHW)
    photographs = table.iloc[len(before) :]
    assert len(all_NHW) == len(table)
    assert set(photographs["corpus"]) == {PHOTOGRAPHS}
    shown = before.set_index("sample_id").loc[photographs["name"]]
    for column in ("label", "split"):
        assert photographs[column].tolist() == shown[column].tolist()
    assert sources_of(table) == set(shown["corpus"])
    assert FEEDBACK not in sources_of(table)


def test_of_each_symbol_there_are_a_few_and_of_none_more(
    added: tuple[pd.DataFrame, np.ndarray],
) -> None:
    table, images_NHW = added
    is_photograph = table["corpus"].eq(PHOTOGRAPHS)
    photographs = table[is_photograph]
    by_symbol = photographs.groupby(["label", "is_uppercase"], dropna=False).size()
    assert by_symbol.drop(NO_SYMBOL, errors="ignore").max() <= 2
    assert len(by_symbol) > 60
    is_none = photographs["label"].eq(NO_SYMBOL)
    assert "test" not in set(photographs["split"][is_none])
    assert images_NHW[is_photograph.to_numpy()].any(axis=(1, 2)).all()


def test_one_seed_photographs_the_same_and_another_does_not(
    samples: tuple[pd.DataFrame, np.ndarray], added: tuple[pd.DataFrame, np.ndarray]
) -> None:
    again, other = (add_photographs(*samples, per_symbol=2, seed=seed) for seed in (1, 2))
    pd.testing.assert_frame_equal(again[0], added[0])
    np.testing.assert_array_equal(again[1], added[1])
    assert not added[0].equals(other[0])


def test_none_are_added_where_none_are_asked_for(
    samples: tuple[pd.DataFrame, np.ndarray],
) -> None:
    table, images_NHW = add_photographs(*samples, per_symbol=0, seed=1)
    assert table is samples[0]
    assert images_NHW is samples[1]
