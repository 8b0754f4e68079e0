"""Whether it is the writing that is looked at."""

import cv2
import numpy as np
import pandas as pd
import pytest
from drawn_documents import DATA, SMALL

from bukva.core.imaging.text_ink import read_text_ink
from bukva.tasks.document.drawn_lines import DRAWN
from bukva.tasks.document.evaluation.confound import (
    across_sources,
    choose_controls,
    describe_paper,
    leave_out,
    read_raw,
    remove_ink,
    score_controls,
    score_saliency,
    score_stroke_width,
    stroke_width_variation,
    take_ink_off,
)
from bukva.tasks.document.evaluation.pictures import choose_pictures, score_lines, score_pictures
from bukva.tasks.document.evaluation.scores import predict
from bukva.tasks.document.recogniser import DocumentRecogniser
from bukva.tasks.document.training import train

Lines = tuple[pd.DataFrame, np.ndarray]


@pytest.fixture(scope="module")
def raw(lines: Lines) -> dict[str, np.ndarray]:
    return read_raw({}, set(lines[0]["sample_id"]), DATA)


def test_without_its_ink_a_line_is_paper() -> None:
    page_HW = np.full((60, 300), 210, np.uint8)
    cv2.putText(page_HW, "ink", (20, 45), cv2.FONT_HERSHEY_SIMPLEX, 1.5, 40, 3)
    paper_HW = remove_ink(page_HW)
    assert paper_HW.min() > 190
    assert not read_text_ink(paper_HW).any()
    assert describe_paper(paper_HW)[2] == pytest.approx(210, abs=2)


def test_paper_alone_says_nothing_of_drawn_lines(
    recogniser: DocumentRecogniser, lines: Lines, raw: dict[str, np.ndarray]
) -> None:
    rows = choose_controls(lines[0], 120)
    shown, told = score_controls(take_ink_off(rows, raw, recogniser), recogniser)
    assert 0.35 < shown["balanced_accuracy"] < 0.65
    assert shown["share_blank"] > 0.1
    assert told["n"] == shown["n"]


def test_strokes_of_one_width_vary_less() -> None:
    even_HW, uneven_HW = (np.zeros((64, 512), np.uint8) for _ in range(2))
    for x in range(20, 400, 20):
        cv2.line(even_HW, (x, 10), (x, 50), 255, 5)
        cv2.line(uneven_HW, (x, 10), (x, 50), 255, 1 + x % 9)
    assert stroke_width_variation(even_HW) < stroke_width_variation(uneven_HW)
    assert stroke_width_variation(np.zeros((64, 512), np.uint8)) == 0


def test_rows_of_the_table_are_shares(recogniser: DocumentRecogniser, lines: Lines) -> None:
    table, images_NHW = lines
    tests_N = table["split"].eq("test").to_numpy()
    width = score_stroke_width(table, images_NHW, 60)
    assert 0 <= width["balanced_accuracy"] <= 1
    saliency = score_saliency(recogniser, images_NHW[tests_N])
    assert 0 < saliency["share_on_ink"] <= 1
    pairs = across_sources(predict(recogniser, table[tests_N], images_NHW[tests_N]))
    assert [row["row"] for row in pairs] == [f"{DRAWN} by hand, {DRAWN} printed"]


def test_a_source_that_is_left_out_is_all_tested(lines: Lines) -> None:
    table, images_NHW = lines
    forms = table.assign(
        corpus=np.where(table["group"].isin(["cousine", "caveat"]), "forms", DRAWN)
    )

    def train_shortly(rows: pd.DataFrame, rows_NHW: np.ndarray) -> DocumentRecogniser:
        assert "forms" not in set(rows["corpus"])
        return train(rows, rows_NHW, SMALL.model_copy(update={"max_epochs": 1})).recogniser

    row = leave_out("forms", train_shortly, forms, images_NHW, 20)
    assert row["n"] == forms["corpus"].eq("forms").sum()
    assert 0 <= row["recall_at_98_specificity"] <= 1


def test_pictures_are_of_lines_of_one_page(
    recogniser: DocumentRecogniser, lines: Lines, raw: dict[str, np.ndarray]
) -> None:
    table = lines[0].assign(
        page=lines[0]["group"].where(lines[0]["group"] != "pacifico", "cousine")
    )
    pictures = choose_pictures(table, 5)
    [mixed] = pictures["mixed"]
    labels = table.set_index("sample_id").loc[mixed, "label"]
    assert set(labels) == {"handwritten", "printed"}
    rows = list(score_pictures(recogniser, pictures, raw))
    assert rows[0]["row"].endswith("mixed")
    singles = list(score_lines(recogniser, table[table["split"].eq("test")][:10], raw))
    assert sum(row["n"] for row in singles) == 10
