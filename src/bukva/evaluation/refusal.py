"""Whether what shows no symbol is refused, and what that costs in symbols.

Shapes: N samples.
"""

from typing import Final

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from bukva.charset import NO_SYMBOL
from bukva.data.nonsymbols.blank import draw_blank
from bukva.data.nonsymbols.kinds import kind_of
from bukva.data.preprocessing import preprocess
from bukva.data.samples import UInt8Array
from bukva.errors import EmptyImageError
from bukva.evaluation.intervals import wilson_interval
from bukva.evaluation.metrics import DECIMALS, Scores, share
from bukva.evaluation.predictions import BoolArray, require_columns

REFUSAL_COLUMNS: Final = (
    "sample_id",
    "corpus",
    "group",
    "split",
    "label",
    "is_uppercase",
    "symbol_probability",
)
"""What is read of a prediction table."""

_BLANK_PAGES: Final = 200


def measure_refusal(predictions: pd.DataFrame, kept_share: float) -> Scores:
    """Return which share of each kind is refused where a share of the symbols is kept.

    The threshold is chosen on validation symbols, corpora counting alike, so what it keeps of the
    test symbols is measured too. The keys are `refusal.threshold`; `refusal.kept`, over all test
    symbols, and `refusal.<corpus>.kept`; `refusal.<kind>.refused` and `refusal.<kind>.auroc`
    (symbols against that kind); `refusal.blank.refused`, of pages that preprocessing finds empty.

    Args:
        predictions: Prediction table of validation symbols and of test samples, those that show
            no symbol among them.
        kept_share: Share of the symbols to keep, 0..1.

    Returns:
        The scores, none of them where the recogniser or the samples know of no such page.

    Raises:
        TableError: If columns are missing.
    """
    require_columns(predictions, REFUSAL_COLUMNS)
    symbols, outliers = split_tests(predictions)
    if outliers.empty or symbols.empty:
        return {}
    threshold = choose_threshold(predictions, kept_share)
    scores: Scores = {"refusal.threshold": round(threshold, DECIMALS)}
    scores |= share("refusal.kept", _is_kept(symbols, threshold), symbols)
    for corpus, rows in symbols.groupby("corpus", sort=True):
        scores |= share(f"refusal.{corpus}.kept", _is_kept(rows, threshold), rows)
    for kind, rows in outliers.groupby(kinds_of(outliers), sort=True):
        scores |= share(f"refusal.{kind}.refused", ~_is_kept(rows, threshold), rows)
        scores[f"refusal.{kind}.auroc"] = round(_auroc(symbols, rows), DECIMALS)
    return scores | count_refused_blanks()


def choose_threshold(predictions: pd.DataFrame, kept_share: float) -> float:
    """Return the probability that this share of the validation symbols reaches; corpora alike."""
    valid = predictions[predictions["split"].eq("valid") & predictions["label"].ne(NO_SYMBOL)]
    if valid.empty:
        return 0.0
    size = valid.groupby("corpus")["sample_id"].transform("size")
    threshold = np.quantile(
        valid["symbol_probability"], 1 - kept_share, weights=1 / size, method="inverted_cdf"
    )
    return float(threshold)


def split_tests(predictions: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the test samples that show a symbol, and those that show none."""
    tests = predictions[predictions["split"].eq("test")]
    is_symbol = tests["label"].ne(NO_SYMBOL)
    return tests[is_symbol], tests[~is_symbol]


def kinds_of(outliers: pd.DataFrame) -> pd.Series:
    """Return the kind of each sample that shows no symbol."""
    return outliers["sample_id"].str.partition("/")[2].map(kind_of).rename("kind")


def count_refused_blanks(count: int = _BLANK_PAGES, seed: int = 0) -> Scores:
    """Return the share of blank pages that preprocessing, before any network, finds empty."""
    rng = np.random.default_rng(seed)
    refused = sum(_is_empty(draw_blank(rng)) for _ in range(count))
    interval = [round(bound, DECIMALS) for bound in wilson_interval(refused, count)]
    key = "refusal.blank.refused"
    return {key: round(refused / count, DECIMALS), f"{key}.ci95": interval, f"{key}.n": count}


def _is_empty(page_HW: UInt8Array) -> bool:
    try:
        preprocess(page_HW)
    except EmptyImageError:
        return True
    return False


def _is_kept(rows: pd.DataFrame, threshold: float) -> BoolArray:
    return rows["symbol_probability"].ge(threshold).to_numpy(dtype=bool)


def _auroc(symbols: pd.DataFrame, outliers: pd.DataFrame) -> float:
    probability_N = np.concatenate([symbols["symbol_probability"], outliers["symbol_probability"]])
    is_symbol_N = np.arange(len(probability_N)) < len(symbols)
    return float(roc_auc_score(is_symbol_N, probability_N))
