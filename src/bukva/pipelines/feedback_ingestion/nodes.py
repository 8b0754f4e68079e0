"""Nodes of `feedback_ingestion`.

Shapes: N drawings, H x W pixels.
"""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from bukva.core.arrays import UInt8Array
from bukva.errors import RegistryError
from bukva.registry.models import PackagedModel
from bukva.registry.package_files import PRODUCTION_ALIAS
from bukva.tasks.glyph.charset import NO_SYMBOL, SYMBOLS
from bukva.tasks.glyph.feedback.collection import CORPUS_COLUMNS, Unusable
from bukva.tasks.glyph.feedback.selection import (
    LEARNT,
    OUTCOMES,
    SET_ASIDE,
    UNUSABLE,
    KnownSamples,
    sort_out,
)
from bukva.tasks.glyph.figures.samples import plot_feedback, plot_sample_sheet, symbols_as_written
from bukva.tasks.glyph.parameters import FeedbackIngestionParameters
from bukva.tasks.glyph.preprocessing import Glyph
from bukva.tasks.glyph.recogniser import Recogniser
from bukva.tasks.glyph.table import page_features

REVIEW_COLUMNS = [
    "name", "given", "answer", "created", "reading", "reading_probability", "alternatives", "image",
]  # fmt: skip


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
    return judged.assign(outcome=sort_out(judged, images_NHW, known, parameters))


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
    """Say what became of the corrections, and how much the corpus weighs in training.

    It names no client.
    """
    learnt = outcomes[outcomes["outcome"].eq(LEARNT)]
    symbols = Counter(symbols_as_written(learnt).tolist())
    clients = learnt["client"].value_counts(dropna=False)
    # A few drawings must not be drawn all the time.
    weight = min(parameters.max_weight, len(learnt) * parameters.weight_per_sample)
    return {
        "corrections": len(outcomes) + len(unusable),
        "outcomes": _count_outcomes(outcomes, unusable),
        "learnt": len(learnt),
        "reviewed": int(outcomes["is_reviewed"].sum()),
        "weight": round(weight, 6),
        "symbols": {symbol: symbols[symbol] for symbol in SYMBOLS if symbol in symbols},
        "clients": {
            "known": int(learnt["client"].nunique()),
            "largest": int(clients.max()) if len(clients) else 0,
            "unknown": int(learnt["client"].isna().sum()),
        },
        "read_by": sorted(set(outcomes["read_by"])),
        "unusable": unusable,
    }


def draw_figures(
    outcomes: pd.DataFrame, images_NHW: UInt8Array, unusable: Unusable
) -> tuple[Figure, Figure]:
    """Draw the counts by outcome and symbol, and a sheet of what is learnt from."""
    is_learnt_N = outcomes["outcome"].eq(LEARNT).to_numpy()
    return (
        plot_feedback(outcomes, _count_outcomes(outcomes, unusable)),
        plot_sample_sheet(images_NHW[is_learnt_N], outcomes[is_learnt_N], seed=0),
    )


def _count_outcomes(outcomes: pd.DataFrame, unusable: Unusable) -> dict[str, int]:
    """Return how many corrections met each fate, those that nobody met too."""
    counts = outcomes["outcome"].value_counts().to_dict() | {UNUSABLE: len(unusable)}
    return {name: int(counts.get(name, 0)) for name in OUTCOMES}
