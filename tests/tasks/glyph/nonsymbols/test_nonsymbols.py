"""What is no symbol: drawn at will, the same for one seed, and nothing learnt from the tests."""

import numpy as np
import pandas as pd
import pytest
from stage_runs import small_data

from bukva.errors import EmptyImageError, SeveralSymbolsError
from bukva.tasks.glyph.charset import NO_SYMBOL
from bukva.tasks.glyph.nonsymbols.collection import (
    MERGING,
    UNPAIRED,
    Counts,
    add_nonsymbols,
    choose_pair,
    draw_pair,
    group_rows,
    split_count,
)
from bukva.tasks.glyph.nonsymbols.drawing import (
    CORPUS,
    KINDS,
    TESTED,
    TRAINED,
    UPRIGHT,
    draw_dot,
    draw_line,
    draw_noise,
    draw_photo,
    draw_scribble,
    draw_upright,
    kind_of,
)
from bukva.tasks.glyph.preprocessing import preprocess

COUNTS = Counts(train=3, valid=1, test=2)
DRAWN = [draw_dot, draw_line, draw_scribble, draw_noise, draw_photo, draw_upright]


def symbols() -> tuple[pd.DataFrame, np.ndarray]:
    data = small_data()
    return data["symbol_table"], data["symbol_images"]


@pytest.fixture(scope="module")
def added() -> tuple[pd.DataFrame, np.ndarray]:
    return add_nonsymbols(*symbols(), COUNTS, seed=1)


def outliers(table: pd.DataFrame) -> pd.DataFrame:
    found = table[table["label"].eq(NO_SYMBOL)]
    return found.assign(kind=found["name"].map(kind_of))


def test_every_kind_has_its_share_of_every_split(added) -> None:
    sizes = outliers(added[0]).groupby(["kind", "split"]).size().unstack(fill_value=0)
    assert set(sizes.index) == {*KINDS, UPRIGHT}
    for kind in set(KINDS) - {"noise"}:
        assert sizes.loc[kind].to_dict() == COUNTS._asdict()


def test_noise_that_is_refused_unread_is_not_taught(added) -> None:
    taken = outliers(added[0])["kind"].eq("noise").sum()
    assert 0 < taken <= sum(COUNTS)


def test_upright_strokes_are_tested_and_never_taught(added) -> None:
    upright = outliers(added[0]).query("kind == @UPRIGHT")
    assert set(upright["split"]) == {"test"}
    assert len(upright) == COUNTS.test


def test_symbols_stay_as_they_were_and_come_first(added) -> None:
    table, images = symbols()
    pd.testing.assert_frame_equal(added[0].head(len(table)), table, check_dtype=False)
    np.testing.assert_array_equal(added[1][: len(images)], images)
    assert len(added[0]) == len(added[1])


def test_one_seed_draws_the_same_and_another_does_not(added) -> None:
    again = add_nonsymbols(*symbols(), COUNTS, seed=1)
    np.testing.assert_array_equal(again[1], added[1])
    other = add_nonsymbols(*symbols(), COUNTS, seed=2)
    assert (other[1][-8:] != added[1][-8:]).any()


def test_no_drawing_is_in_two_splits(added) -> None:
    assert outliers(added[0])["sha256"].is_unique


def test_none_are_added_where_none_are_asked_for() -> None:
    table, _ = add_nonsymbols(*symbols(), split_count(0, 0.1, 0.1), seed=1)
    assert not table["label"].eq(NO_SYMBOL).any()


@pytest.mark.parametrize("count", [3, 10, 1500])
def test_each_split_gets_some(count: int) -> None:
    counts = split_count(count, 0.08, 0.15)
    assert sum(counts) == count
    assert min(counts) >= 1


def test_latin_letters_of_a_corpus_are_taken_over_no_more_than_of_other_kinds() -> None:
    table, images = symbols()
    latin = table.head(9).assign(
        label=NO_SYMBOL, corpus="emnist", split=["train", "valid", "test"] * 3,
        name=[f"byclass-{place}" for place in range(9)],
        sample_id=[f"emnist/byclass-{place}" for place in range(9)],
    )  # fmt: skip
    together = pd.concat([table, latin], ignore_index=True)
    made, _ = add_nonsymbols(together, np.concatenate([images, images[:9]]), COUNTS, seed=1)
    taken = made[made["name"].str.contains("emnist")]
    assert taken["split"].value_counts().to_dict() == {"train": 3, "test": 2, "valid": 1}
    assert set(taken["corpus"]) == {CORPUS}
    assert set(taken["name"].map(kind_of)) == {"latin"}
    assert taken["sample_id"].eq("nonsymbols/" + taken["name"]).all()


@pytest.mark.parametrize("draw", DRAWN, ids=lambda draw: draw.__name__)
@pytest.mark.parametrize("variation", [TRAINED, TESTED], ids=["trained", "tested"])
def test_pages_have_ink_and_the_size_they_should(draw, variation) -> None:
    for seed in range(15):
        page = draw(np.random.default_rng(seed), variation)
        assert page.dtype == np.uint8
        assert variation.page_px[0] <= len(page) < variation.page_px[1]
        try:
            assert preprocess(page).image_HW.max() == 255
        except (EmptyImageError, SeveralSymbolsError):
            assert draw in (draw_noise, draw_photo), "noise or grass may show nothing, or several"


def rise_deg(page: np.ndarray) -> float:
    """Slope of the main axis of the ink, 0..180, 90 upright."""
    y, x = np.nonzero(page < 200)
    _, axes = np.linalg.eigh(np.cov(x, -y))
    return float(np.degrees(np.arctan2(*axes[::-1, -1])) % 180)


@pytest.mark.parametrize("variation", [TRAINED, TESTED], ids=["trained", "tested"])
def test_lines_lie_and_upright_ones_stand(variation) -> None:
    low, high = variation.lying_deg
    for seed in range(40):
        lying = rise_deg(draw_line(np.random.default_rng(seed), variation))
        assert not high + 6 < lying < low + 180 - 6
        standing = rise_deg(draw_upright(np.random.default_rng(seed), variation))
        assert high - 6 < standing < low + 180 + 6


def test_tests_are_wider_than_what_is_trained_on() -> None:
    for name in ("page_px", "dot_px", "pen_px", "reach", "lying_deg", "gap"):
        trained, tested = getattr(TRAINED, name), getattr(TESTED, name)
        assert tested[0] < trained[0] < trained[1] < tested[1]


def test_pairs_are_of_one_corpus_and_leave_out_what_may_join_to_one_symbol() -> None:
    table = pd.DataFrame({"corpus": ["a"] * 3 + ["b"] * 3, "label": list("1ижиіи")})
    rows = group_rows(table, table["label"].notna())
    pairs = [choose_pair(rows, np.random.default_rng(seed)) for seed in range(60)]
    for first, second in pairs:
        assert table["corpus"][first] == table["corpus"][second]
        assert not {table["label"][first], table["label"][second]} & UNPAIRED
    labels = {table["label"][first] + table["label"][second] for first, second in pairs[:40]}
    assert "и" in MERGING
    assert {"иж", "жи", "жж"} <= labels


def test_the_symbols_of_a_pair_stand_apart() -> None:
    bar = np.zeros((28, 28), np.uint8)
    bar[4:24, 8:20] = 255
    for seed in range(20):
        page = draw_pair(bar, bar, np.random.default_rng(seed), TESTED)
        has_ink = (page < 128).any(axis=0)
        assert np.count_nonzero(np.diff(has_ink.astype(int)) == 1) == 2
