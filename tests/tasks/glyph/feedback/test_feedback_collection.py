from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from stored_corrections import START, correct, correct_pages

from bukva.core.imaging.decoding import decode_image, to_grey
from bukva.core.samples import RawSample
from bukva.errors import CorpusMissingError
from bukva.tasks.glyph.correction import Correction
from bukva.tasks.glyph.feedback.collection import (
    CORPUS_COLUMNS,
    StoredCorrections,
    collect_drawings,
    read_feedback,
)
from bukva.tasks.glyph.feedback.decisions import Decision
from bukva.tasks.glyph.preprocessing import preprocess


@pytest.fixture(scope="module")
def corrections(drawn_pages: list[RawSample]) -> list[Correction]:
    return correct_pages(drawn_pages[:12])


def decide(symbol: str | None) -> Decision:
    return Decision(symbol=symbol, reviewer="somebody", decided=START)


def test_drawings_are_framed_as_all_samples_are(
    corrections: list[Correction], drawn_pages: list[RawSample]
) -> None:
    drawings = collect_drawings(StoredCorrections(corrections[::-1], []), {})
    assert list(drawings.table["name"]) == [item.id for item in corrections], "the oldest first"
    assert drawings.unusable == []
    for row, page in enumerate(drawn_pages[:12]):
        glyph = preprocess(np.asarray(page.image))
        assert (drawings.images_NHW[row] == glyph.image_HW).all()
        assert drawings.table.loc[row, "label"] == page.label
        assert drawings.table.loc[row, "rel_height"] == glyph.page_F[0]


def test_one_that_was_stored_with_all_its_pixels_is_framed_as_now() -> None:
    """By revision be0f3b1: a page of 700 x 540 pixels, which is stored smaller since."""
    content = Path(__file__).with_name("former_correction.json").read_bytes()
    former = Correction.parse(content)
    grey_HW = to_grey(decode_image(former.read_image()))
    assert grey_HW.shape == (540, 700)
    now = correct(grey_HW, former.symbol, place=1)
    assert len(now.write()) < len(content)
    drawings = collect_drawings(StoredCorrections([former, now], []), {})
    assert drawings.unusable == []
    before_HW, after_HW = drawings.images_NHW.astype(float)
    assert np.abs(before_HW - after_HW).mean() < 3
    heights = drawings.table["rel_height"]
    assert heights[0] == pytest.approx(heights[1], abs=0.01)


def test_a_reviewer_has_the_last_word(corrections: list[Correction]) -> None:
    decisions = {corrections[0].id: decide("Ї"), corrections[1].id: decide(None)}
    table = collect_drawings(StoredCorrections(corrections, []), decisions).table
    assert (table.loc[0, "label"], table.loc[0, "is_uppercase"]) == ("ї", True)
    assert table.loc[0, "given"] == corrections[0].symbol
    assert list(table["is_reviewed"][:3]) == [True, True, False]
    assert list(table["is_rejected"][:3]) == [False, True, False]


def test_what_cannot_be_used_is_named_and_harms_no_other(corrections: list[Correction]) -> None:
    blank = correct(np.full((50, 50), 255, dtype=np.uint8), "а", place=90)
    odd = corrections[0].model_copy(update={"id": "c" * 32, "symbol": "Ы" * 2000})
    torn = {"image": "AAAA", "id": "d" * 32, "sha256": Correction.digest("а", "AAAA")}
    broken = corrections[0].model_copy(update=torn)
    stored = StoredCorrections([blank, odd, broken, *corrections], [{"file": "x", "reason": "y"}])
    drawings = collect_drawings(stored, {})
    assert len(drawings.table) == len(corrections)
    reasons = {item["file"]: item["reason"] for item in drawings.unusable}
    assert reasons["x"] == "y"
    assert "empty" in reasons[f"{blank.id}.json"]
    assert "76 symbols" in reasons[f"{odd.id}.json"]
    assert len(reasons[f"{odd.id}.json"]) <= 300
    assert "image file" in reasons[f"{broken.id}.json"]


def test_no_corrections_make_an_empty_table_of_the_same_kind(
    corrections: list[Correction],
) -> None:
    nothing = collect_drawings(StoredCorrections([], []), {})
    something = collect_drawings(StoredCorrections(corrections, []), {})
    assert list(nothing.table) == list(something.table)
    assert nothing.images_NHW.shape == (0, *something.images_NHW.shape[1:])


def test_the_stored_corpus_yields_samples_to_train_on(corrections: list[Correction]) -> None:
    drawings = collect_drawings(StoredCorrections(corrections, []), {})
    corpus = drawings.table[list(CORPUS_COLUMNS)]
    samples = list(read_feedback(corpus))
    assert [sample.name for sample in samples] == [item.id for item in corrections]
    assert {sample.split for sample in samples} == {"train"}
    assert samples[0].image == corrections[0].read_image()
    assert [sample.is_uppercase for sample in samples] == [
        None if pd.isna(case) else case for case in corpus["is_uppercase"]
    ]


def test_an_empty_corpus_says_what_to_do(corrections: list[Correction]) -> None:
    empty = collect_drawings(StoredCorrections([], []), {}).table[list(CORPUS_COLUMNS)]
    with pytest.raises(CorpusMissingError, match=r"globals\.yml.*feedback_report"):
        next(read_feedback(empty))
