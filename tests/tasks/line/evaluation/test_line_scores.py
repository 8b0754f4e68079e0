"""Error rates, comparisons and calibration, of predictions that can be counted by hand."""

import numpy as np
import pandas as pd
import pytest
from line_predictions import ROWS, predicted
from small_reader import TEXTS, Samples

from bukva.core.samples import of_split
from bukva.tasks.line.evaluation.scores import (
    compare,
    is_made,
    line_tenths,
    predict,
    score,
    score_calibration,
    score_nothing,
    words_of,
)
from bukva.tasks.line.recogniser import LineRecogniser


def test_rates_are_of_sums_over_lines() -> None:
    scores = score(predicted(ROWS), resamples=100)
    assert scores["testaments.cer"] == pytest.approx(1 / 20)
    assert scores["testaments.wer"] == pytest.approx(1 / 3, abs=1e-6)
    # The insertion on an empty line counts, its characters are none.
    assert scores["fonts.cer"] == pytest.approx(2 / 8)
    assert scores["all.cer"] == pytest.approx(3 / 28, abs=1e-6)
    assert scores["corpora.cer"] == scores["testaments.cer"]
    assert (scores["all.cer.n"], scores["testaments.groups"]) == (4, 2)


def test_intervals_are_over_groups_not_lines() -> None:
    lines = [("t", str(group), "x" * 10, "x" * 10 if group % 2 else "y" * 10)
             for group in range(20) for _ in range(10)]  # fmt: skip
    low, high = score(predicted(lines), resamples=500)["t.cer.ci95"]
    # 200 independent lines would give 0.43 to 0.57.
    assert low < 0.35
    assert high > 0.65


def test_texts_are_compared_as_the_project_says() -> None:
    scores = score(predicted([("t", "a", "м’яч  “так”", 'м\'яч "так"')]), resamples=10)
    assert (scores["t.cer"], scores["t.wer"]) == (0, 0)


def test_the_second_reads_more_characters_rightly() -> None:
    better = predicted([(*row[:3], row[2]) for row in ROWS])
    scores = compare(predicted(ROWS), better)
    assert scores["characters_right.difference"] == pytest.approx(3 / 28, abs=1e-6)
    low, high = scores["characters_right.difference.ci95"]
    assert 0 <= low < 3 / 28 < high
    assert scores["characters_right.only_second_right"] == 3
    assert scores["characters_right.only_first_right"] == 0
    assert compare(better, predicted(ROWS))["words_right.difference"] < 0


def test_made_lines_are_told_by_their_collection() -> None:
    table = pd.DataFrame({"collection": ["fonts", "emnist_lines", "mss19"]})
    assert is_made(table).tolist() == [True, True, False]


def test_calibration_compares_confidences_with_what_is_right() -> None:
    table = predicted([("t", "a", "аб вг", "аб вг")] * 10)
    assert score_calibration(table)["word.ece"] == pytest.approx(0.1)
    assert score_calibration(table)["line.ece"] == pytest.approx(0.5)
    confidence, right = words_of(table)
    assert (len(confidence), right.all()) == (20, True)
    assert len(line_tenths(table)) == 10


def test_lines_that_say_nothing_are_counted_where_no_text_is_read(
    recogniser: LineRecogniser, samples: Samples
) -> None:
    written = samples[1][0][:, : samples[0]["width_px"].iloc[0]]
    scores = score_nothing(recogniser, [np.zeros((48, 200), np.uint8), written])
    assert (scores["nothing.right"], scores["nothing.right.n"]) == (0.5, 2)


def test_a_recogniser_is_measured_line_by_line(
    recogniser: LineRecogniser, samples: Samples
) -> None:
    tests, tests_NHW = of_split(*samples, "test")
    predictions = predict(recogniser, tests, np.asarray(tests_NHW))
    assert predictions["characters"].tolist() == [len(text) for text in TEXTS]
    assert score(predictions, resamples=50)["all.cer"] < 0.15
    for row in predictions.itertuples():
        assert len(row.word_confidences) == len(row.words_right) == len(row.found.split())
    assert score_calibration(predictions)["word.ece"] < 0.5
