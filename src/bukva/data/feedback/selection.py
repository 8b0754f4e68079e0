"""What becomes of each correction: learnt from, or why not.

Shapes: N drawings, M known samples, H x W pixels.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bukva.data.duplicates import find_copies, find_duplicates
from bukva.data.feedback.collection import FEEDBACK
from bukva.data.samples import UInt8Array

LEARNT: Final = "learnt"
REJECTED: Final = "rejected"
COPY_OF_TEST: Final = "copy_of_test"
COPY_OF_SAMPLE: Final = "copy_of_sample"
COPY: Final = "copy"
SET_ASIDE: Final = "set_aside"
OVER_CAP: Final = "over_cap"
UNUSABLE: Final = "unusable"

OUTCOMES: Final = {
    LEARNT: "learnt from",
    SET_ASIDE: "set aside for review",
    REJECTED: "rejected in the review",
    COPY_OF_TEST: "copy of a test sample",
    COPY_OF_SAMPLE: "copy of another sample",
    COPY: "copy of another correction",
    OVER_CAP: "too many of one client",
    UNUSABLE: "file cannot be used",
}
"""What each outcome means, for people."""

BoolArray: TypeAlias = NDArray[np.bool_]
_Find: TypeAlias = Callable[[pd.DataFrame, UInt8Array], Any]


class KnownSamples(NamedTuple):
    """The sample table and its images, as the last `data_processing` left them."""

    table: pd.DataFrame
    images_MHW: UInt8Array

    def images_of(self, is_wanted: Callable[[pd.DataFrame], pd.Series]) -> UInt8Array:
        """Return the images of some of the samples that are no feedback."""
        is_chosen_M = self.table["corpus"].ne(FEEDBACK) & is_wanted(self.table)
        chosen: UInt8Array = self.images_MHW[is_chosen_M.to_numpy()]
        return chosen


class Limits(NamedTuple):
    """What decides: see `bukva.parameters.FeedbackIngestionParameters`."""

    duplicate_cosine: float
    disagreement: float
    client_share: float
    client_count: int


def sort_out(
    table: pd.DataFrame, images_NHW: UInt8Array, known: KnownSamples | None, limits: Limits
) -> pd.Series:
    """Return the outcome of each drawing; the first reason against it counts.

    Args:
        table: As of `bukva.data.feedback.collection.Drawings`, with the model's `reading` and
            `reading_probability`.
        images_NHW: uint8, row-aligned with the table.
        known: Samples that must not come again; None where nothing was processed yet.
        limits: What decides.

    Returns:
        Names of `OUTCOMES`, with the index of `table`.
    """
    cosine = limits.duplicate_cosine
    steps: list[tuple[str, _Find]] = [(REJECTED, lambda rows, _: rows["is_rejected"])]
    if known is not None:
        tests = known.images_of(lambda samples: samples["split"].eq("test"))
        others = known.images_of(lambda samples: samples["split"].ne("test"))
        steps += [
            (COPY_OF_TEST, lambda _, images: find_copies(images, tests, cosine)),
            (COPY_OF_SAMPLE, lambda _, images: find_copies(images, others, cosine)),
        ]
    steps += [
        (COPY, lambda rows, images: _is_repeated(rows, images, cosine)),
        (SET_ASIDE, lambda rows, _: _is_doubtful(rows, limits.disagreement)),
        (OVER_CAP, lambda rows, _: _is_over_cap(rows, limits)),
    ]
    outcome = pd.Series(LEARNT, index=table.index, dtype="str")
    for name, find in steps:
        rows = table[outcome.eq(LEARNT)]
        if not rows.empty:
            is_out_N = np.asarray(find(rows, images_NHW[outcome.eq(LEARNT).to_numpy()]), dtype=bool)
            outcome[rows.index[is_out_N]] = name
    return outcome


def _is_repeated(rows: pd.DataFrame, images_NHW: UInt8Array, cosine: float) -> pd.Series:
    """Return whether another drawing of its cluster comes first."""
    clusters = find_duplicates(images_NHW, rows["label"], rows["sha256"], cosine)
    ordered = _in_order(rows.assign(cluster=clusters))
    return ordered["cluster"].duplicated().reindex(rows.index)


def _is_doubtful(rows: pd.DataFrame, disagreement: float) -> pd.Series:
    """Return whether the model is sure of something else, and nobody has looked yet."""
    is_other = rows["reading"].ne(rows["given"])
    is_sure = rows["reading_probability"].ge(disagreement)
    return is_other & is_sure & ~rows["is_reviewed"]


def _is_over_cap(rows: pd.DataFrame, limits: Limits) -> pd.Series:
    """Return whether its client has given as many as one may; those without one are one."""
    cap = max(limits.client_count, int(limits.client_share * len(rows)))
    ordered = _in_order(rows)
    place = ordered.groupby(ordered["client"].fillna("")).cumcount()
    return place.ge(cap).reindex(rows.index)


def _in_order(rows: pd.DataFrame) -> pd.DataFrame:
    """Put what was reviewed first, then the oldest: what was learnt from once stays in."""
    columns, ascending = ["is_reviewed", "created", "name"], [False, True, True]
    return rows.sort_values(columns, ascending=ascending, kind="stable")
