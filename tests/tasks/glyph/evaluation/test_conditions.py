"""Letters under conditions: chosen, shown as files, read by the released model, scored."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import bukva_released
from bukva.core.imaging.decoding import decode_image
from bukva.core.samples import RawSample
from bukva.errors import TableError
from bukva.tasks.glyph.embedded import draw_letters_and_digits
from bukva.tasks.glyph.evaluation.conditions import (
    ALL,
    CLEAN,
    COLUMNS,
    UNKNOWN_TO_TRAINING,
    Letter,
    choose_letters,
    measure_conditions,
    read_labels,
    score_conditions,
    show,
)
from bukva.tasks.glyph.evaluation.scenes import SCENES
from bukva.tasks.glyph.figures.conditions import TITLES, plot_conditions
from bukva.tasks.glyph.recogniser import Recogniser


@pytest.fixture(scope="module")
def letters() -> list[Letter]:
    return choose_letters({}, pd.DataFrame(), 10, seed=1)


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    return Recogniser((Path(bukva_released.__file__).parent / "model.onnx").read_bytes())


@pytest.fixture(scope="module")
def measured(letters: list[Letter], recogniser: Recogniser) -> pd.DataFrame:
    return measure_conditions(letters, partial(read_labels, recogniser), seed=1)


def two_corpora() -> tuple[dict[str, object], pd.DataFrame]:
    """Drawings as if they were those of the corpora; every second one is tested on."""

    def read(seed: int) -> Iterator[RawSample]:
        return draw_letters_and_digits(1, seed)

    corpora = {"comnist": partial(read, 1), "rukopys": partial(read, 2), "mnist": partial(read, 3)}
    rows = [
        {"sample_id": f"{name}/{sample.name}", "corpus": name, "split": ("test", "train")[at % 2]}
        for name, samples in corpora.items()
        for at, sample in enumerate(samples())
    ]
    return corpora, pd.DataFrame(rows)


def test_letters_are_those_tested_on_of_both_corpora() -> None:
    corpora, table = two_corpora()

    letters = choose_letters(corpora, table, 21, seed=1)  # type: ignore[arg-type]

    assert [letter.corpus for letter in letters] == ["comnist"] * 11 + ["rukopys"] * 11
    assert all(letter.label.isalpha() for letter in letters)
    tested = set(table.loc[table["split"].eq("test"), "sample_id"])
    pages = {
        sample.image.tobytes()  # type: ignore[union-attr]
        for sample in corpora["comnist"]()  # type: ignore[operator]
        if f"comnist/{sample.name}" in tested
    }
    assert all(letter.page_HW.tobytes() in pages for letter in letters[:11])


def test_another_seed_chooses_others() -> None:
    corpora, table = two_corpora()
    once, again, other = (
        [letter.page_HW.tobytes() for letter in choose_letters(corpora, table, 12, seed)]  # type: ignore[arg-type]
        for seed in (1, 1, 2)
    )

    assert once == again != other


def test_without_corpora_the_stroke_alphabet_writes_them(letters: list[Letter]) -> None:
    assert {letter.corpus for letter in letters} == {"strokes"}
    assert len(letters) == 10
    for letter in letters:
        np.testing.assert_array_equal(decode_image(letter.file), letter.page_HW)


def test_clean_files_are_their_own(letters: list[Letter]) -> None:
    assert show(letters, CLEAN, seed=1) == [letter.file for letter in letters]


def test_pictures_are_the_same_whatever_is_shown_beside_them(letters: list[Letter]) -> None:
    assert show(letters, "kraft", seed=1)[:3] == show(letters[:3], "kraft", seed=1)
    assert show(letters, "kraft", seed=1) != show(letters, "kraft", seed=2)


def test_files_are_jpeg_but_where_a_pixel_counts(letters: list[Letter]) -> None:
    starts = {name: show(letters[:1], name, seed=1)[0][:4] for name in SCENES}

    assert {name for name, start in starts.items() if start == b"\x89PNG"} == {"white_pixel"}
    assert all(start[:2] == b"\xff\xd8" for name, start in starts.items() if name != "white_pixel")


def test_an_unknown_condition_is_named(letters: list[Letter]) -> None:
    with pytest.raises(TableError, match="'rain'"):
        show(letters, "rain", seed=1)


def test_every_condition_is_measured(measured: pd.DataFrame) -> None:
    assert list(measured.columns) == list(COLUMNS)
    assert list(measured["condition"]) == [CLEAN, *SCENES]
    assert set(measured["n"]) == {10}
    assert measured["right"].between(0, 1).all()
    assert (measured["right"] + measured["refused"] <= 1).all()
    assert (measured["low"] <= measured["points_below_clean"]).all()
    assert (measured["points_below_clean"] <= measured["high"]).all()
    unknown = measured.loc[~measured["known_to_training"], "condition"]
    assert set(unknown) == UNKNOWN_TO_TRAINING


def test_clean_letters_are_read(measured: pd.DataFrame) -> None:
    assert measured["right"].iloc[0] >= 0.8
    assert measured["points_below_clean"].iloc[0] == 0


def test_what_is_refused_is_not_right(letters: list[Letter]) -> None:
    truth = [letter.label for letter in letters]
    corpora = [letter._replace(corpus="other") for letter in letters[:4]] + letters[4:]
    answers = {CLEAN: truth, "kraft": [None, None, "?", truth[3], None, None, None, *truth[7:]]}

    table = score_conditions(corpora, answers).set_index(["condition", "corpus"])

    assert table.loc[("kraft", "other"), "right"] == 0.25
    assert table.loc[("kraft", "other"), "refused"] == 0.5
    assert table.loc[("kraft", "strokes"), "right"] == 0.5
    assert table.loc[("kraft", ALL), "points_below_clean"] == pytest.approx(60)
    assert table.loc[("kraft", ALL), "low"] > 0


def test_files_that_cannot_be_read_are_refused(recogniser: Recogniser) -> None:
    assert read_labels(recogniser, [b"no image"]) == [None]


def test_the_figure_shows_every_condition(measured: pd.DataFrame) -> None:
    assert set(TITLES) == {CLEAN, *SCENES}
    for before in (None, measured):
        figure = plot_conditions(measured, before)
        assert isinstance(figure, Figure)
        [axes] = figure.axes
        assert len(axes.get_yticklabels()) == len(SCENES)
        assert len(axes.patches) == len(SCENES) * (1 if before is None else 2)


def test_the_figure_names_what_its_table_lacks(measured: pd.DataFrame) -> None:
    with pytest.raises(TableError, match="right"):
        plot_conditions(measured.drop(columns="right"))
