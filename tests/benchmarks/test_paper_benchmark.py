"""The benchmark of letters on paper: its photographs, its readers, its place in the docs."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from kedro_project import PROJECT

import bukva_released
import paper
from a4_photos import A4_PX, photograph_a4
from bukva.core.imaging.decoding import decode_image
from bukva.tasks.glyph.evaluation.conditions import (
    CLEAN,
    Letter,
    choose_letters,
    read_labels,
    score_conditions,
)
from bukva.tasks.glyph.recogniser import Recogniser


@pytest.fixture(scope="module")
def letters() -> list[Letter]:
    return choose_letters({}, pd.DataFrame(), 10, seed=2)


def test_a_capital_is_14_mm_high_on_a4(letters: list[Letter]) -> None:
    photo = photograph_a4(letters[0], np.random.default_rng(0))

    pixels_HWC = cv2.imdecode(np.frombuffer(photo, dtype=np.uint8), cv2.IMREAD_COLOR)
    assert pixels_HWC.shape == (*A4_PX, 3)
    red_HW = cv2.blur(pixels_HWC[:, :, 2], (5, 5))
    rows = np.flatnonzero((red_HW < 110).any(axis=1))
    assert np.ptp(rows) + 1 == pytest.approx(14 / 297 * 4000, abs=20)
    assert decode_image(photo).shape[2] == 3


def test_another_process_reads_the_same(letters: list[Letter]) -> None:
    onnx_model = (Path(bukva_released.__file__).parent / "model.onnx").read_bytes()
    files = [letter.file for letter in letters] + [b"no image"]

    with paper.reading(PROJECT, None) as reader:
        answers = reader.ask(files)

    labels = [symbol and symbol.lower() for symbol, _ in answers]
    assert labels == read_labels(Recogniser(onnx_model), files)
    assert answers[-1] == (None, None)
    assert {case for _, case in answers[:-1]} <= {"upper", "lower", "either", None}


def test_results_stand_side_by_side(letters: list[Letter]) -> None:
    truth: list[str | None] = [letter.label for letter in letters]
    after, before = (
        score_conditions(letters, {CLEAN: truth, "small_plain": read})
        for read in ([*truth[:9], None], truth[:4] + [None] * 6)
    )

    text = paper.format_results({"after": after, "before": before})

    assert "| clean | 100.0 | 100.0 | 0.0 |  |" in text
    assert "| 32 px, plain paper | 40.0 | 90.0 | 10.0 | 10.0 [" in text
    assert paper.total_small("after", after).startswith(
        "after: photographed letters, 32 px: n 10, right 90.0 % ["
    )


def test_the_page_of_the_docs_has_a_place_for_them(tmp_path: Path) -> None:
    above, below = paper.split_page(PROJECT / "docs" / "paper.md")
    assert above.endswith("paper.py -->")
    assert below.startswith("<!--")

    (tmp_path / "other.md").write_text("no place")
    for page in ("other.md", "none.md"):
        with pytest.raises(SystemExit, match="to write the results between"):
            paper.split_page(tmp_path / page)
