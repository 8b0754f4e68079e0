"""Disturbed pages, made of real drawings of the stroke alphabet."""

import numpy as np
import pandas as pd
import pytest

from bukva.core.samples import RawSample
from bukva.tasks.glyph.figures.robustness import (
    PAGE_PX,
    SHIFTS,
    SYMBOL_PX,
    Shift,
    choose_evenly,
    leave,
    measure_robustness,
    render_page,
    shift_frames,
)
from bukva.tasks.glyph.parameters import RobustnessParameters
from bukva.tasks.glyph.preprocessing import preprocess

STRENGTHS = RobustnessParameters().strengths


@pytest.fixture(scope="module")
def frames(drawn_pages: list[RawSample]) -> np.ndarray:
    return np.stack([preprocess(page.image).image_HW for page in drawn_pages[::4]])


def likeness(first_NHW: np.ndarray, second_NHW: np.ndarray) -> np.ndarray:
    """The cosine of the pixels, sample by sample."""
    first_NP, second_NP = (a.reshape(len(a), -1).astype(float) for a in (first_NHW, second_NHW))
    norms = np.linalg.norm(first_NP, axis=1) * np.linalg.norm(second_NP, axis=1)
    return (first_NP * second_NP).sum(axis=1) / norms


def ink_of(page_HW: np.ndarray) -> float:
    return float((255 - page_HW.astype(float)).sum())


def test_a_page_shows_the_symbol_dark_on_light_in_its_middle(frames: np.ndarray) -> None:
    for frame_HW in frames:
        page_HW = render_page(frame_HW)
        assert page_HW.shape == (PAGE_PX, PAGE_PX)
        assert np.median(page_HW) == 255
        is_ink_HW = page_HW < 245
        rows, columns = np.flatnonzero(is_ink_HW.any(1)), np.flatnonzero(is_ink_HW.any(0))
        assert max(np.ptp(rows), np.ptp(columns)) == pytest.approx(SYMBOL_PX, abs=10)
        assert (rows[0] + rows[-1]) / 2 == pytest.approx(PAGE_PX / 2, abs=6)


def test_enlarging_alone_changes_hardly_anything(frames: np.ndarray) -> None:
    again_NHW, is_empty_N = shift_frames(frames, leave, 0.0, seed=1)
    assert not is_empty_N.any()
    assert np.median(likeness(frames, again_NHW)) > 0.97


def test_pens_take_and_give_ink(frames: np.ndarray) -> None:
    page_HW, rng = render_page(frames[0]), np.random.default_rng(0)
    ink = [
        ink_of(SHIFTS[name](page_HW, radius_px, rng))
        for name, radius_px in (
            ("thinner_pen_px", 2), ("thinner_pen_px", 1), ("thicker_pen_px", 2),
            ("thicker_pen_px", 4),
        )
    ]  # fmt: skip
    assert ink[0] < ink[1] < ink_of(page_HW) < ink[2] < ink[3]


def test_light_ink_on_black_is_read_as_dark_on_light(frames: np.ndarray) -> None:
    plain_NHW, _ = shift_frames(frames, leave, 0.0, seed=1)
    inverted_NHW, _ = shift_frames(frames, SHIFTS["inverted_contrast"], 1.0, seed=1)
    alike_N = likeness(plain_NHW, inverted_NHW)
    assert np.median(alike_N) > 0.99
    assert (alike_N > 0.6).mean() > 0.9, "a line may come to lie a pixel beside itself"


@pytest.mark.parametrize("name", ["rotation_deg", "noise", "jpeg_quality"])
def test_what_is_stronger_changes_more(frames: np.ndarray, name: str) -> None:
    plain_NHW, _ = shift_frames(frames, leave, 0.0, seed=1)
    shift: Shift = SHIFTS[name]
    found = [
        likeness(plain_NHW, shift_frames(frames, shift, strength, seed=1)[0]).mean()
        for strength in STRENGTHS[name]
    ]
    assert found[0] > found[-1]
    assert found[0] > 0.6


def test_randomness_is_seeded_sample_by_sample(frames: np.ndarray) -> None:
    noise = SHIFTS["noise"]
    whole_NHW, _ = shift_frames(frames, noise, 50.0, seed=1)
    assert (shift_frames(frames[:3], noise, 50.0, seed=1)[0] == whole_NHW[:3]).all()
    assert (shift_frames(frames, noise, 50.0, seed=2)[0] != whole_NHW).any()


def test_what_loses_all_its_ink_is_empty(frames: np.ndarray) -> None:
    shifted_NHW, is_empty_N = shift_frames(frames[:2], SHIFTS["inverted_contrast"], 0.05, seed=1)
    assert is_empty_N.all()
    assert not shifted_NHW.any()
    _, is_empty_N = shift_frames(np.zeros_like(frames[:1]), leave, 0.0, seed=1)
    assert is_empty_N.all()


def test_every_corpus_and_label_has_its_share() -> None:
    table = pd.DataFrame(
        {"corpus": ["a"] * 900 + ["b"] * 100, "label": (["а"] * 9 + ["б"]) * 100}, index=range(1000)
    )
    chosen = table.iloc[choose_evenly(table, 40, seed=1)]
    assert chosen["corpus"].value_counts().to_dict() == {"a": 20, "b": 20}
    assert chosen["label"].value_counts().to_dict() == {"а": 20, "б": 20}
    assert len(choose_evenly(table, 5000, seed=1)) == 1000
    assert (choose_evenly(table, 40, seed=1) != choose_evenly(table, 40, seed=2)).any()


def test_accuracy_is_told_by_shift_strength_and_corpus(frames: np.ndarray) -> None:
    """A reader that knows a drawing by its likeness to the original."""
    corpora = pd.Series(["a", "b"] * (len(frames) // 2), index=range(7, 7 + len(frames)))

    def is_right(frames_NHW: np.ndarray) -> np.ndarray:
        return likeness(frames, frames_NHW + 1e-9) > 0.9

    strengths = {"rotation_deg": (1.0, 40.0), "inverted_contrast": (0.05,)}
    table = measure_robustness(corpora, frames, is_right, strengths, seed=1)
    assert list(table.columns) == [
        "shift", "strength", "corpus", "n", "accuracy", "low", "high", "empty",
    ]  # fmt: skip
    assert len(table) == 5 * 2
    by_shift = table.groupby(["shift", "strength"])["accuracy"].mean()
    assert by_shift["stored", 0] == 1
    assert by_shift["rendered", 0] > 0.8
    assert by_shift["rotation_deg", 40] < 0.5 < by_shift["rotation_deg", 1]
    gone = table[table["shift"] == "inverted_contrast"]
    assert (gone["accuracy"] == 0).all()
    assert (gone["empty"] == 1).all()
    assert table["low"].le(table["accuracy"]).all()
    assert table["high"].ge(table["accuracy"]).all()
