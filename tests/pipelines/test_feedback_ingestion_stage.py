"""Corrections, judged by the released model, and what data_processing makes of their corpus."""

import json
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from stage_runs import Data, manifest, run_stage, small_data, small_parameters
from stored_corrections import START, correct, correct_pages

from bukva.cli.released.manifest import RELEASED
from bukva.core.samples import RawSample
from bukva.errors import ParameterError, RegistryError
from bukva.pipelines.data_processing import pipeline as data_processing
from bukva.pipelines.feedback_ingestion import pipeline as feedback_ingestion
from bukva.registry.models import PackagedModel
from bukva.tasks.glyph.correction import Correction
from bukva.tasks.glyph.embedded import draw_letters_and_digits
from bukva.tasks.glyph.feedback.collection import StoredCorrections, read_feedback
from bukva.tasks.glyph.feedback.decisions import Decision, Decisions
from bukva.tasks.glyph.feedback.selection import KnownSamples
from bukva.tasks.glyph.preprocessing import preprocess

RAW = {"file": "torn.json", "reason": "it is torn"}


@cache
def production() -> PackagedModel:
    """The released model: what it reads in clear drawings is what they show."""
    [file] = RELEASED.glob("*.onnx")
    return PackagedModel("models:/none/4", {}, file.read_bytes, version="4")


@pytest.fixture(scope="module")
def pages() -> list[RawSample]:
    """Two drawings of each symbol; the tests' own drawings, and the training's, are others."""
    return list(draw_letters_and_digits(samples_per_symbol=2, seed=77))


@pytest.fixture(scope="module")
def corrections(pages: list[RawSample]) -> list[Correction]:
    return correct_pages(pages)


def ingest(
    corrections: list[Correction],
    decisions: Decisions | None = None,
    known: KnownSamples | None = None,
    **parameters: Any,
) -> Data:
    inputs = {
        "corrections": StoredCorrections(corrections, [RAW]),
        "feedback_decisions": decisions or {},
        "known_samples": known,
        "registered_models": {"prod": production()},
        **small_parameters(feedback_ingestion={"client_count": 1000, **parameters}),
    }
    return run_stage(feedback_ingestion.create_pipeline(), inputs)


def process(corpus: pd.DataFrame | None, **parameters: Any) -> Data:
    """Run data_processing on six drawings of each symbol, and on feedback if there is any."""
    corpora = {} if corpus is None else {"feedback": lambda: read_feedback(corpus)}
    inputs = {
        "corpora": corpora,
        "published_split": None,
        "corpora_manifest": manifest(),
        **small_parameters(
            embedded={"samples_per_symbol": 6, "with_digits": False}, data_processing=parameters
        ),
    }
    return run_stage(data_processing.create_pipeline(), inputs)


@pytest.fixture(scope="module")
def ingested(corrections: list[Correction]) -> Data:
    return ingest(corrections)


def test_what_person_and_model_agree_on_becomes_the_corpus(
    ingested: Data, corrections: list[Correction]
) -> None:
    corpus, counts = ingested["feedback_corpus"], ingested["feedback_report"]["outcomes"]
    assert len(corpus) == counts["learnt"] > 100
    assert counts["learnt"] + counts["set_aside"] + counts["copy"] == len(corrections)
    assert len(ingested["feedback_review"]) == counts["set_aside"]
    given = {item.id: item.symbol for item in corrections}
    assert [given[name].lower() for name in corpus["name"]] == list(corpus["label"])


def test_the_report_says_what_became_of_each(ingested: Data, corrections: list[Correction]) -> None:
    report = ingested["feedback_report"]
    assert report["corrections"] == len(corrections) + 1 == sum(report["outcomes"].values())
    assert report["unusable"] == [RAW]
    assert sum(report["symbols"].values()) == report["learnt"]
    assert report["symbols"]["Ґ"] > 0
    assert report["clients"] == {"known": 1, "largest": report["learnt"], "unknown": 0}
    assert report["weight"] == pytest.approx(0.0001 * report["learnt"])
    assert report["read_by"] == ["4"]
    assert "key a" not in json.dumps(report), "a report names nobody"


def test_the_figures_are_drawn(ingested: Data) -> None:
    for name in ("feedback_counts", "feedback_sheet"):
        assert ingested[name].axes


def test_the_same_corrections_give_the_same(ingested: Data, corrections: list[Correction]) -> None:
    again = ingest(corrections[::-1])
    for name in ("feedback_corpus", "feedback_review", "feedback_outcomes"):
        pd.testing.assert_frame_equal(again[name], ingested[name])
    assert again["feedback_report"] == ingested["feedback_report"]


def test_a_wrong_label_is_set_aside_and_a_reviewer_decides(
    ingested: Data, pages: list[RawSample]
) -> None:
    clearest = ingested["feedback_outcomes"].query("given == reading and label != 'щ'")
    place = int(clearest["reading_probability"].idxmax())
    shown = clearest.loc[place, "given"]
    wrong = correct(np.asarray(pages[place].image), "Щ", answer=shown)
    data = ingest([wrong])
    [row] = data["feedback_review"].to_dict(orient="records")
    assert (row["name"], row["given"], row["answer"]) == (wrong.id, "Щ", shown)
    assert row["reading"] == shown
    assert len(json.loads(row["alternatives"])) == 5
    assert data["feedback_corpus"].empty

    def decided(symbol: str | None) -> Data:
        return ingest([wrong], {wrong.id: Decision(symbol=symbol, reviewer="x", decided=START)})

    [learnt] = decided("Ж")["feedback_corpus"].to_dict(orient="records")
    assert (learnt["label"], learnt["is_uppercase"]) == ("ж", True)
    rejected = decided(None)
    assert rejected["feedback_corpus"].empty
    assert rejected["feedback_report"]["outcomes"]["rejected"] == 1
    assert len(rejected["feedback_review"]) == 1, "it can still be taken back"


def test_no_corrections_make_an_empty_corpus_and_need_no_model() -> None:
    inputs = {
        "corrections": StoredCorrections([], []),
        "feedback_decisions": {},
        "known_samples": None,
        "registered_models": {},
        **small_parameters(),
    }
    data = run_stage(feedback_ingestion.create_pipeline(), inputs)
    assert data["feedback_corpus"].empty
    assert data["feedback_report"]["learnt"] == data["feedback_report"]["weight"] == 0
    inputs["corrections"] = StoredCorrections([correct(np.eye(90, dtype=np.uint8) * 255, "а")], [])
    with pytest.raises(RegistryError, match="release install"):
        run_stage(feedback_ingestion.create_pipeline(), inputs)


def test_a_test_sample_does_not_come_back_as_a_correction(pages: list[RawSample]) -> None:
    glyphs = [preprocess(np.asarray(page.image)).image_HW for page in pages[:40]]
    table = pd.DataFrame({"corpus": "comnist", "split": ["test"] * 20 + ["train"] * 20})
    data = ingest(correct_pages(pages[:40]), known=KnownSamples(table, np.stack(glyphs)))
    assert data["feedback_corpus"].empty
    counts = data["feedback_report"]["outcomes"]
    assert (counts["copy_of_test"], counts["copy_of_sample"]) == (20, 20)


def test_feedback_is_trained_on_and_moves_no_other_sample(ingested: Data) -> None:
    """The frozen test split, and all else, is to the byte what it is without feedback."""
    alone, together = small_data(), process(ingested["feedback_corpus"])
    table = together["sample_table"]
    is_feedback = table["corpus"].eq("feedback")
    assert table["split"][is_feedback].unique().tolist() == ["train"]
    assert is_feedback.sum() == len(ingested["feedback_corpus"])
    for split in ("test", "valid"):
        former, now = alone["sample_table"], table
        pd.testing.assert_frame_equal(
            former[former["split"].eq(split)].reset_index(drop=True),
            now[now["split"].eq(split)].reset_index(drop=True),
        )
        np.testing.assert_array_equal(
            alone["sample_images"][former["split"].eq(split)],
            together["sample_images"][now["split"].eq(split)],
        )
    strokes = table["corpus"].eq("strokes")
    others = alone["sample_table"]["corpus"].eq("strokes")
    pd.testing.assert_frame_equal(
        table[strokes].reset_index(drop=True), alone["sample_table"][others].reset_index(drop=True)
    )


def test_a_corpus_that_repeats_other_samples_leaks_nothing(ingested: Data) -> None:
    """As when feedback was taken in before another corpus was added."""
    drawn = list(draw_letters_and_digits(samples_per_symbol=6, seed=1))
    copies = ingest(correct_pages(drawn, first=1000))["feedback_corpus"]
    assert len(copies) > 300
    data = process(pd.concat([ingested["feedback_corpus"], copies], ignore_index=True))
    table = data["sample_table"]
    kept = set(table["name"][table["corpus"].eq("feedback")])
    assert kept.isdisjoint(copies["name"])
    assert kept == set(ingested["feedback_corpus"]["name"])
    assert data["duplicates"]["feedback.dropped"] == len(copies)
    strokes = table[table["corpus"].eq("strokes")].reset_index(drop=True)
    before = small_data()["sample_table"].query("corpus == 'strokes'").reset_index(drop=True)
    pd.testing.assert_frame_equal(strokes, before)


def test_feedback_is_never_a_test_corpus(ingested: Data) -> None:
    with pytest.raises(ParameterError, match="unseen"):
        process(ingested["feedback_corpus"], unseen=["feedback"])
