"""What becomes of each correction, and in which order the reasons count."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from stored_corrections import correct_pages

from bukva.core.samples import RawSample
from bukva.tasks.glyph.feedback.collection import Drawings, StoredCorrections, collect_drawings
from bukva.tasks.glyph.feedback.selection import KnownSamples, sort_out
from bukva.tasks.glyph.parameters import FeedbackIngestionParameters

LIMITS = FeedbackIngestionParameters(
    duplicate_cosine=0.985, disagreement=0.9, client_share=0.01, client_count=1000
)

Sort = Callable[..., pd.Series]


@pytest.fixture(scope="module")
def drawings(drawn_pages: list[RawSample]) -> Drawings:
    """Drawings that nobody doubts, one of each symbol."""
    made = collect_drawings(StoredCorrections(correct_pages(drawn_pages[::2]), []), {})
    read = made.table.assign(reading=made.table["given"], reading_probability=0.99)
    return made._replace(table=read)


def sort(drawings: Drawings, known: KnownSamples | None = None, **limits: float) -> pd.Series:
    return sort_out(drawings.table, drawings.images_NHW, known, LIMITS.model_copy(update=limits))


def change(drawings: Drawings, row: int, **values: object) -> Drawings:
    table = drawings.table.copy()
    for name, value in values.items():
        table.loc[row, name] = value
    return drawings._replace(table=table)


def known_from(drawings: Drawings, rows: list[int], corpus: str, split: str) -> KnownSamples:
    table = pd.DataFrame({"corpus": corpus, "split": split}, index=range(len(rows)))
    return KnownSamples(table, drawings.images_NHW[rows])


def test_what_nobody_doubts_is_learnt_from(drawings: Drawings) -> None:
    assert set(sort(drawings)) == {"learnt"}


@pytest.mark.parametrize(
    ("split", "outcome"),
    [("test", "copy_of_test"), ("train", "copy_of_sample"), ("valid", "copy_of_sample")],
)
def test_what_another_corpus_holds_does_not_come_again(
    drawings: Drawings, split: str, outcome: str
) -> None:
    outcomes = sort(drawings, known_from(drawings, [3, 8], "comnist", split))
    assert list(outcomes.index[outcomes.eq(outcome)]) == [3, 8]
    assert outcomes.drop([3, 8]).eq("learnt").all()


def test_a_copy_of_a_test_sample_under_another_name_is_found(drawings: Drawings) -> None:
    """The most harmful one: a test sample with a wrong label."""
    renamed = change(drawings, 3, label="ю", given="ю", reading="ю")
    outcomes = sort(renamed, known_from(drawings, [3], "comnist", "test"))
    assert outcomes[3] == "copy_of_test"


def test_what_was_learnt_from_before_is_no_copy_of_itself(drawings: Drawings) -> None:
    known = known_from(drawings, [3], "feedback", "train")
    assert set(sort(drawings, known)) == {"learnt"}


def test_of_near_copies_the_oldest_stays(drawings: Drawings) -> None:
    images = drawings.images_NHW.copy()
    images[5] = np.clip(images[2].astype(int) + 3, 0, 255)
    twice = change(drawings, 5, label=drawings.table.loc[2, "label"])
    outcomes = sort(twice._replace(images_NHW=images))
    assert (outcomes[2], outcomes[5]) == ("learnt", "copy")
    reviewed = change(twice, 5, is_reviewed=True)._replace(images_NHW=images)
    outcomes = sort(reviewed)
    assert (outcomes[2], outcomes[5]) == ("copy", "learnt"), "what a person looked at counts more"


@pytest.mark.parametrize(
    ("reading", "probability", "outcome"),
    [("ю", 0.9, "set_aside"), ("ю", 0.89, "learnt"), ("∅", 0.95, "set_aside")],
)
def test_strong_disagreement_sets_aside(
    drawings: Drawings, reading: str, probability: float, outcome: str
) -> None:
    doubted = change(drawings, 4, reading=reading, reading_probability=probability)
    assert sort(doubted)[4] == outcome


def test_what_a_reviewer_accepted_is_not_set_aside_again(drawings: Drawings) -> None:
    doubted = change(drawings, 4, reading="ю", reading_probability=0.99, is_reviewed=True)
    assert sort(doubted)[4] == "learnt"
    assert sort(change(doubted, 4, is_rejected=True))[4] == "rejected"


def test_one_client_gives_no_more_than_its_share(drawings: Drawings) -> None:
    table = drawings.table.copy()
    table["client"] = ["greedy"] * 40 + ["modest"] * 3 + [None] * (len(table) - 43)
    table.loc[39, "is_reviewed"] = True
    outcomes = sort(drawings._replace(table=table), client_count=5)
    counts = outcomes.eq("learnt").groupby(table["client"].fillna("unknown")).sum()
    assert counts.to_dict() == {"greedy": 5, "modest": 3, "unknown": 5}
    learnt = outcomes.index[outcomes.eq("learnt") & table["client"].eq("greedy")]
    assert list(learnt) == [0, 1, 2, 3, 39], "what was reviewed, then the oldest"


def test_of_many_drawings_a_client_may_give_the_share(drawings: Drawings) -> None:
    outcomes = sort(drawings, client_share=0.5, client_count=1)
    assert outcomes.eq("learnt").sum() == len(outcomes) // 2
    assert outcomes.eq("over_cap").sum() == len(outcomes) - len(outcomes) // 2
