"""Confusions, parts of the lines, and the worst ones."""

import pytest
from line_predictions import ROWS, predicted
from small_reader import Samples

from bukva.tasks.line.evaluation.figures import plot_lines, plot_scores
from bukva.tasks.line.evaluation.tables import (
    NOTHING,
    choose_worst,
    list_confusions,
    list_strata,
)


def test_confusions_are_counted_with_how_often_the_character_comes() -> None:
    rows = [("t", str(place), "шило", "щило") for place in range(3)] + [("t", "x", "а б", "аб")]
    confusions = list_confusions(predicted(rows), most=10)
    first, second = confusions.to_dict("records")
    assert (first["written"], first["read"], first["count"], first["groups"]) == ("ш", "щ", 3, 3)
    assert first["times_written"] == 3
    assert (second["written"], second["read"]) == ("␣", NOTHING)
    assert confusions["share_of_edits"].sum() == pytest.approx(1)
    assert list_confusions(predicted(rows[3:]).assign(found="а б"), most=10).empty


def test_parts_of_the_lines_have_rates_of_their_own() -> None:
    strata = list_strata(predicted(ROWS))
    rates = strata[strata["by"].eq("collection")].set_index("value")["cer"]
    assert rates["testaments"] == pytest.approx(0.05)
    assert set(strata.loc[strata["by"].eq("language"), "value"]) == {"cyrillic", "latin"}
    by_group = strata[strata["by"].eq("group")].set_index("value")["cer"]
    assert by_group.to_dict() == {"a": 0, "b": 0.1, "fonts/x": 0.125}
    assert "height_px" not in set(strata["by"])
    assert "height_px" in set(list_strata(predicted(ROWS).assign(height_px=[9, 20, 30, 40]))["by"])


def test_the_worst_lines_are_of_several_groups() -> None:
    rows = [("t", "one", "абв", "где")] * 5 + [("t", "two", "абв", "абв")]
    worst = choose_worst(predicted(rows), 3)
    assert worst["group"].tolist() == ["one", "one", "two"]


def test_figures_are_drawn_even_where_all_is_right(samples: Samples) -> None:
    table = predicted([("t", "a", "так", "так")])
    confusions, strata = list_confusions(table, 5), list_strata(table)
    assert len(plot_scores(table, strata, confusions).axes) == 4
    assert len(plot_lines(table, samples[1][:1], 2).axes) == 2
    assert plot_lines(table.iloc[:0], samples[1][:0], 2).axes


def test_without_lines_the_table_of_parts_has_its_columns() -> None:
    empty = predicted(ROWS[3:])
    assert list(list_strata(empty)) == ["by", "value", "cer", "wer", "lines"]
