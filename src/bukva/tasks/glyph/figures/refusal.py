"""What is refused of each kind that shows no symbol, and at which price."""

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bukva.core.arrays import BoolArray, UInt8Array
from bukva.core.evaluation.figures import style
from bukva.core.evaluation.intervals import wilson_interval
from bukva.core.evaluation.scores import DECIMALS
from bukva.core.tables import require_columns
from bukva.core.task import Scores
from bukva.errors import ImageError
from bukva.tasks.glyph.charset import NO_SYMBOL
from bukva.tasks.glyph.evaluation.metrics import share
from bukva.tasks.glyph.nonsymbols.drawing import draw_blank, kind_of
from bukva.tasks.glyph.preprocessing import preprocess

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
    except ImageError:
        return True
    return False


def _is_kept(rows: pd.DataFrame, threshold: float) -> BoolArray:
    return rows["symbol_probability"].ge(threshold).to_numpy(dtype=bool)


def _auroc(symbols: pd.DataFrame, outliers: pd.DataFrame) -> float:
    from sklearn.metrics import roc_auc_score

    probability_N = np.concatenate([symbols["symbol_probability"], outliers["symbol_probability"]])
    is_symbol_N = np.arange(len(probability_N)) < len(symbols)
    return float(roc_auc_score(is_symbol_N, probability_N))


_LOST_SHOWN: Final = 0.2
_DASHES: Final = ("solid", (0, (4, 2)))


def plot_refusal(predictions: pd.DataFrame, scores: Scores) -> Figure:
    """Draw the share refused of each kind, and how it grows with the symbols given up for it.

    Args:
        predictions: As `measure_refusal` takes it.
        scores: What it gave.
    """
    symbols, outliers = split_tests(predictions)
    subtitle = f"Symbols: {style.describe_corpora(symbols)}."
    if "refusal.kept" in scores:
        subtitle += f" {style.percent(_number(scores, 'refusal.kept'))} of them are kept."
    figure = style.new_figure(13, 5.5, "Refusal of what shows no symbol", subtitle, gap=0.08)
    bars, curves = figure.subplots(1, 2)
    if "refusal.kept" not in scores:
        style.write_empty(bars, "nothing is refused")
        style.write_empty(curves, "")
        return figure
    _draw_shares(bars, scores)
    _draw_curves(curves, symbols, outliers)
    return figure


def _number(scores: Scores, key: str) -> float:
    return float(np.asarray(scores[key], dtype=float))


def _draw_shares(axes: Axes, scores: Scores) -> None:
    keys = [key for key in scores if key.endswith(".refused")][::-1]
    shares = np.array([_number(scores, key) for key in keys])
    bounds = np.array([scores[f"{key}.ci95"] for key in keys], dtype=float).T
    axes.barh(range(len(keys)), shares, color=style.SKY, height=0.62)
    axes.hlines(range(len(keys)), *bounds, color=style.TEXT, linewidth=1.4)
    axes.set_yticks(range(len(keys)), [key.split(".")[1] for key in keys])
    axes.set_xlim(0, 1.01)
    style.style_axes(axes, "Share refused, with its 95 % interval", grid="x")
    style.percent_axis(axes, which="x")


def _draw_curves(axes: Axes, symbols: pd.DataFrame, outliers: pd.DataFrame) -> None:
    from sklearn.metrics import roc_curve

    for place, (kind, rows) in enumerate(outliers.groupby(kinds_of(outliers))):
        truth_N = np.repeat([False, True], [len(symbols), len(rows)])
        probability_N = np.concatenate([symbols["symbol_probability"], rows["symbol_probability"]])
        lost, refused, _ = roc_curve(truth_N, 1 - probability_N)
        dash = _DASHES[place // len(style.PALETTE) % len(_DASHES)]
        colour = style.PALETTE[place % len(style.PALETTE)]
        axes.plot(lost, refused, color=colour, linestyle=dash, linewidth=1.6, label=str(kind))
    axes.set(xlim=(0, _LOST_SHOWN), ylim=(0, 1.02), xlabel="share of test symbols refused")
    style.style_axes(axes, "Share of each kind refused", grid="both")
    style.percent_axis(axes)
    style.percent_axis(axes, which="x")
    axes.legend(frameon=False, loc="lower right", labelcolor=style.TEXT)
