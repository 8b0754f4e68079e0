"""Error rates of characters and words, with intervals over documents and hands.

Texts are normalised before they are compared; edits are summed over lines and divided by what the
references hold (`bukva.core.evaluation.edits`).

Shapes: N lines, G groups, R resamples.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bukva.core.arrays import UInt8Array
from bukva.core.evaluation.edits import Edits, are_right
from bukva.core.evaluation.intervals import mcnemar_p_value
from bukva.core.evaluation.scores import DECIMALS, score_share
from bukva.core.task import Scores
from bukva.tasks.line.charset import normalise
from bukva.tasks.line.decoding import read_greedily
from bukva.tasks.line.font_lines import FONTS
from bukva.tasks.line.recogniser import LineRecogniser
from bukva.tasks.line.wording import spell

_RESAMPLES: Final = 1000
_MEASURES: Final[Mapping[str, tuple[str, str]]] = {
    "cer": ("characters", "character_edits"),
    "greedy_cer": ("characters", "greedy_edits"),
    "wer": ("words", "word_edits"),
}
_COMPARED: Final[Mapping[str, tuple[str, str]]] = {
    "characters_right": ("characters", "character_edits"),
    "words_right": ("words", "word_edits"),
}


def predict(
    recogniser: LineRecogniser, tests: pd.DataFrame, images_NHW: UInt8Array
) -> pd.DataFrame:
    """Return the samples with what is read of them.

    Columns: `found`, `confidence`, the fields of `Edits`, `greedy_edits` of characters where the
    likeliest output of each step is taken, and of each word that was found `word_confidences` and
    whether it is right, `words_right`.
    """
    widths = tests["width_px"].tolist()
    rows = [
        _read(recogniser, image_HW[:, :width], text)
        for image_HW, width, text in zip(images_NHW, widths, tests["text"], strict=True)
    ]
    return tests.assign(**pd.DataFrame(rows, index=tests.index))


def _read(recogniser: LineRecogniser, ink_hw: UInt8Array, text: str) -> dict[str, Any]:
    reading = recogniser.read_ink(ink_hw)
    words = spell(reading)
    of_words, of_lines = recogniser.sureness("word"), recogniser.sureness("line")
    reference, found = normalise(text), normalise(reading.text)
    greedy = normalise(reading.charset.decode(read_greedily(reading.log_TK)))
    return {
        "found": reading.text,
        "confidence": reading.confidence(of_lines, words),
        **Edits.between(reference, found)._asdict(),
        "greedy_edits": Edits.between(reference, greedy).character_edits,
        "word_confidences": [of_words.apply(word.features) for word in words],
        "words_right": are_right(reference.split(), [normalise(word.text) for word in words]),
    }


def score(predictions: pd.DataFrame, resamples: int = _RESAMPLES) -> Scores:
    """Return error rates of all test lines, of `corpora` without made ones, of each collection."""
    scores = _score_scope("all", predictions, resamples)
    made = is_made(predictions)
    if made.any() and not made.all():
        scores |= _score_scope("corpora", predictions[~made], resamples)
    for collection, rows in predictions.groupby("collection", sort=True):
        scores |= _score_scope(str(collection), rows, resamples)
    return scores


def score_nothing(recogniser: LineRecogniser, inks: Iterable[UInt8Array]) -> Scores:
    """Return `nothing.right`: how many of some lines that say nothing give no text.

    Args:
        recogniser: What reads them.
        inks: Framed strips of paper, rules, smudges.
    """
    is_right = [not recogniser.read_ink(ink_hw).text for ink_hw in inks]
    return score_share("nothing.right", np.array(is_right))


def is_made(table: pd.DataFrame) -> pd.Series:
    """Return which lines nobody wrote: set in fonts, or in single characters."""
    collection = table["collection"]
    return collection.eq(FONTS) | collection.str.endswith("_lines")


def _score_scope(scope: str, rows: pd.DataFrame, resamples: int) -> Scores:
    scores: Scores = {}
    for measure, (counted, edited) in _MEASURES.items():
        totals_G2 = _sum_groups(rows, counted, edited)
        total, edits = totals_G2.sum(axis=0)
        if not total:
            continue
        rates_R = _resample(totals_G2, resamples)
        scores |= {
            f"{scope}.{measure}": round(float(edits / total), DECIMALS),
            f"{scope}.{measure}.ci95": _interval(rates_R),
            f"{scope}.{measure}.n": len(rows),
            f"{scope}.{counted}": int(total),
            f"{scope}.groups": len(totals_G2),
        }
    return scores


def describe_reader(predictions: pd.DataFrame, train_s: float) -> dict[str, Any]:
    """Return the row of the table of networks for what read these lines."""
    sums = predictions[["characters", "character_edits", "words", "word_edits"]].sum()
    edits = Edits(*(int(value) for value in sums))
    return {
        "name": "convolutions and LSTM, with CTC",
        "cer": round(edits.cer, 4),
        "wer": round(edits.wer, 4),
        "lines": len(predictions),
        "train_s": train_s,
    }


def compare(first: pd.DataFrame, second: pd.DataFrame) -> Scores:
    """Return by how much more the second reads rightly: shares of the characters and words.

    The p-value is that of a sign test over lines: which of the two has fewer edits.
    """
    scores: Scores = {}
    for measure, (counted, edits) in _COMPARED.items():
        totals_G2 = _sum_groups(first.assign(gain=first[edits] - second[edits]), counted, "gain")
        total, gain = totals_G2.sum(axis=0)
        if not total:
            continue
        better = (
            int((first[edits] < second[edits]).sum()),
            int((first[edits] > second[edits]).sum()),
        )
        scores |= {
            f"{measure}.difference": round(float(gain / total), DECIMALS),
            f"{measure}.difference.ci95": _interval(_resample(totals_G2, _RESAMPLES)),
            f"{measure}.difference.n": len(first),
            f"{measure}.only_first_right": better[0],
            f"{measure}.only_second_right": better[1],
            f"{measure}.p_value": round(mcnemar_p_value(*better), DECIMALS),
        }
    return scores


def _sum_groups(rows: pd.DataFrame, *columns: str) -> NDArray[np.float64]:
    """Return the sums of some columns over each group, `(G, len(columns))`."""
    unit = rows["corpus"] + "/" + rows["group"].astype(str)
    sums = rows.groupby(unit)[list(columns)].sum()
    return np.asarray(sums.to_numpy(dtype=np.float64))


def _resample(totals_G2: NDArray[np.float64], resamples: int) -> NDArray[np.float64]:
    """Return the rate, second column by first, of whole groups drawn anew (bootstrap)."""
    groups = len(totals_G2)
    rng = np.random.default_rng(0)
    drawn_RG = rng.multinomial(groups, np.full(groups, 1 / groups), size=resamples)
    sums_R2 = drawn_RG @ totals_G2
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(sums_R2[:, 1] / sums_R2[:, 0])


def _interval(values_R: NDArray[np.float64]) -> list[float]:
    finite_R = values_R[np.isfinite(values_R)]
    return [round(float(bound), DECIMALS) for bound in np.quantile(finite_R, [0.025, 0.975])]


def score_calibration(predictions: pd.DataFrame) -> Scores:
    """Return how far confidences are from the truth: of words, and of lines.

    Of words it is the expected calibration error; of lines the mean distance between what is
    expected to be right of a tenth of the lines, by confidence, and what is.
    """
    from bukva.core.evaluation.calibration import calibration_bins

    confidence, right = words_of(predictions)
    scores: Scores = {}
    if len(confidence):
        bins = calibration_bins(confidence, right, bins=10)
        filled = bins[bins["count"] > 0]
        gaps = (filled["confidence"] - filled["accuracy"]).abs()
        scores["word.ece"] = round(float(np.average(gaps, weights=filled["count"])), DECIMALS)
        scores["word.ece.n"] = len(confidence)
    tenths = line_tenths(predictions)
    if len(tenths):
        gaps = (tenths["confidence"] - tenths["right"]).abs()
        error = float(np.average(gaps, weights=tenths["characters"]))
        scores["line.ece"] = round(error, DECIMALS)
    return scores


def words_of(predictions: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the confidence of each word that was found, and whether it is right."""
    columns = [
        np.concatenate([np.zeros(0), *(np.asarray(row, dtype=float) for row in predictions[name])])
        for name in ("word_confidences", "words_right")
    ]
    return columns[0], columns[1].astype(bool)


def line_tenths(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return ten rows of lines by confidence: `confidence`, `right` share, `characters`."""
    written = predictions[predictions["characters"] > 0]
    place = written["confidence"].rank(method="first") - 1
    tenth = (10 * place // max(1, len(written))).astype(int)
    groups = written.assign(
        weighed=written["confidence"] * written["characters"],
        right=(written["characters"] - written["character_edits"]).clip(lower=0),
    ).groupby(tenth)
    sums = groups[["weighed", "right", "characters"]].sum()
    return pd.DataFrame(
        {
            "confidence": sums["weighed"] / sums["characters"],
            "right": sums["right"] / sums["characters"],
            "characters": sums["characters"],
        }
    )
