"""What becomes of each correction: learnt from, or why not.

Shapes: N drawings, M known samples, H x W pixels.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from bukva.core.arrays import UInt8Array
from bukva.core.corrections import FEEDBACK
from bukva.core.duplicates import find_copies, find_duplicates
from bukva.tasks.glyph.parameters import FeedbackIngestionParameters

LEARNT: Final = "learnt"
SET_ASIDE: Final = "set_aside"
UNUSABLE: Final = "unusable"

OUTCOMES: Final = {
    LEARNT: "learnt from",
    SET_ASIDE: "set aside for review",
    "rejected": "rejected in the review",
    "copy_of_test": "copy of a test sample",
    "copy_of_sample": "copy of another sample",
    "copy": "copy of another correction",
    "over_cap": "too many of one client",
    UNUSABLE: "file cannot be used",
}
"""What each outcome means, for people."""


class KnownSamples(NamedTuple):
    """The sample table and its images, as the last `data_processing` left them."""

    table: pd.DataFrame
    images_MHW: UInt8Array


def sort_out(
    table: pd.DataFrame,
    images_NHW: UInt8Array,
    known: KnownSamples | None,
    parameters: FeedbackIngestionParameters,
) -> pd.Series:
    """Return the outcome of each drawing; the first reason against it counts.

    Args:
        table: As of `collection.Drawings`, with the model's `reading` and
            `reading_probability`.
        images_NHW: uint8, row-aligned with the table.
        known: Samples that must not come again; None where nothing was processed yet.
        parameters: What decides.

    Returns:
        Names of `OUTCOMES`, with the index of `table`.
    """
    cosine = parameters.duplicate_cosine
    outcome = pd.Series(LEARNT, index=table.index, dtype="str")

    def leave_out(name: str, find: Callable[[pd.DataFrame, UInt8Array], Any]) -> None:
        is_left_N = outcome.eq(LEARNT).to_numpy()
        if is_left_N.any():
            is_out = np.asarray(find(table[is_left_N], images_NHW[is_left_N]), dtype=bool)
            outcome[table.index[is_left_N][is_out]] = name

    leave_out("rejected", lambda rows, _: rows["is_rejected"])
    if known is not None:
        is_test_M = known.table["split"].eq("test").to_numpy()
        is_other_M = ~is_test_M & known.table["corpus"].ne(FEEDBACK).to_numpy()
        tests, others = known.images_MHW[is_test_M], known.images_MHW[is_other_M]
        leave_out("copy_of_test", lambda _, images: find_copies(images, tests, cosine))
        leave_out("copy_of_sample", lambda _, images: find_copies(images, others, cosine))
    leave_out("copy", lambda rows, images: _is_repeated(rows, images, cosine))
    # The model is sure of something else, and nobody has looked yet.
    leave_out(
        SET_ASIDE,
        lambda rows, _: (
            rows["reading"].ne(rows["given"])
            & rows["reading_probability"].ge(parameters.disagreement)
            & ~rows["is_reviewed"]
        ),
    )
    leave_out("over_cap", lambda rows, _: _is_over_cap(rows, parameters))
    return outcome


def _is_repeated(rows: pd.DataFrame, images_NHW: UInt8Array, cosine: float) -> pd.Series:
    """Return whether another drawing of its cluster comes first."""
    clusters = find_duplicates(images_NHW, rows["label"], rows["sha256"], cosine)
    ordered = _in_order(rows.assign(cluster=clusters))
    return ordered["cluster"].duplicated().reindex(rows.index)


def _is_over_cap(rows: pd.DataFrame, parameters: FeedbackIngestionParameters) -> pd.Series:
    """Return whether its client has given as many as one may; those without one are one."""
    cap = max(parameters.client_count, int(parameters.client_share * len(rows)))
    ordered = _in_order(rows)
    place = ordered.groupby(ordered["client"].fillna("")).cumcount()
    return place.ge(cap).reindex(rows.index)


def _in_order(rows: pd.DataFrame) -> pd.DataFrame:
    """Put what was reviewed first, then the oldest: what was learnt from once stays in."""
    columns, ascending = ["is_reviewed", "created", "name"], [False, True, True]
    return rows.sort_values(columns, ascending=ascending, kind="stable")
