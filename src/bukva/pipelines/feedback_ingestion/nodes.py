"""Nodes of `feedback_ingestion`.

Shapes: N drawings, H x W pixels.
"""

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from bukva.charset import NO_SYMBOL
from bukva.data.columns import page_features
from bukva.data.feedback.collection import (
    CORPUS_COLUMNS,
    Drawings,
    StoredCorrections,
    Unusable,
    collect_drawings,
)
from bukva.data.feedback.decisions import Decisions
from bukva.data.feedback.selection import LEARNT, SET_ASIDE, KnownSamples, Limits, sort_out
from bukva.data.preprocessing import Glyph
from bukva.data.samples import UInt8Array
from bukva.errors import RegistryError
from bukva.evaluation.figures.corpus import plot_sample_sheet
from bukva.evaluation.figures.feedback import plot_feedback
from bukva.inference.recogniser import Recogniser
from bukva.model_registry.models import PackagedModel
from bukva.model_registry.names import PRODUCTION_ALIAS
from bukva.parameters import FeedbackIngestionParameters
from bukva.pipelines.feedback_ingestion.summary import count_outcomes, summarise

REVIEW_COLUMNS = [
    "name", "given", "answer", "created", "reading", "reading_probability", "alternatives", "image",
]  # fmt: skip


def collect(corrections: StoredCorrections, decisions: Decisions) -> Drawings:
    """Decode the corrections that are stored now, and put the reviewers' labels on them."""
    return collect_drawings(corrections, decisions)


def judge(
    drawings: pd.DataFrame,
    images_NHW: UInt8Array,
    known: KnownSamples | None,
    registered: Mapping[str, PackagedModel],
    parameters: FeedbackIngestionParameters,
) -> pd.DataFrame:
    """Say of each drawing what the model reads in it, and whether it is learnt from.

    Raises:
        RegistryError: If there is no model to compare with.
    """
    production = registered.get(PRODUCTION_ALIAS)
    if not drawings.empty and production is None:
        raise RegistryError(
            "Expected a model in production, with which corrections are compared, found none. Put "
            "the released one there: python -m bukva release install --env=<env>"
        )
    readings = _read(Recogniser(production.onnx_model), drawings, images_NHW) if production else []
    columns = ["reading", "reading_probability", "alternatives"]
    read = pd.DataFrame(readings, columns=columns, index=drawings.index).astype(
        {"reading_probability": float}
    )
    judged = drawings.join(read).assign(read_by=production.version if production else "")
    limits = parameters.model_dump(include=set(Limits._fields))
    return judged.assign(outcome=sort_out(judged, images_NHW, known, Limits(**limits)))


def _read(
    recogniser: Recogniser, drawings: pd.DataFrame, images_NHW: UInt8Array
) -> list[tuple[str, float, str]]:
    """Return the likeliest symbol of each drawing, or that it shows none, and the next ones."""
    answers = recogniser.answer([*map(Glyph, images_NHW, page_features(drawings))])
    return [*map(_summarise, answers["symbol_confidence"], answers["alternatives"])]


def _summarise(shows_symbol: float, alternatives: list[dict[str, Any]]) -> tuple[str, float, str]:
    best = alternatives[0]
    likelihoods = {NO_SYMBOL: 1 - shows_symbol, best["symbol"]: best["probability"] * shows_symbol}
    reading = max(likelihoods, key=likelihoods.__getitem__)
    listed = json.dumps(alternatives, ensure_ascii=False)
    return reading, round(likelihoods[reading], 6), listed


def split_off(outcomes: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the corpus, and what was set aside; what was reviewed stays, to be taken back."""
    corpus = outcomes.loc[outcomes["outcome"].eq(LEARNT), list(CORPUS_COLUMNS)]
    is_for_review = outcomes["outcome"].eq(SET_ASIDE) | outcomes["is_reviewed"]
    review = outcomes.loc[is_for_review, REVIEW_COLUMNS]
    return corpus.reset_index(drop=True), review.reset_index(drop=True)


def report(
    outcomes: pd.DataFrame, unusable: Unusable, parameters: FeedbackIngestionParameters
) -> dict[str, Any]:
    """Say what became of the corrections, and how much the corpus weighs in training."""
    return summarise(outcomes, unusable, parameters)


def draw_figures(
    outcomes: pd.DataFrame, images_NHW: UInt8Array, unusable: Unusable
) -> tuple[Figure, Figure]:
    """Draw the counts by outcome and symbol, and a sheet of what is learnt from."""
    is_learnt_N = outcomes["outcome"].eq(LEARNT).to_numpy()
    return (
        plot_feedback(outcomes, count_outcomes(outcomes, unusable)),
        plot_sample_sheet(images_NHW[is_learnt_N], outcomes[is_learnt_N], seed=0),
    )
