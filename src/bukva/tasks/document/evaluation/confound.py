"""Whether a network looks at the writing, or at the paper, scanner and crop that go with a source.

Shapes: N lines, H x W pixels, F features, h x w cells of a map.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, NamedTuple

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from bukva.core.arrays import UInt8Array
from bukva.core.imaging.skeleton import thin
from bukva.core.imaging.text_ink import read_text_ink
from bukva.core.samples import LazyCorpora
from bukva.errors import ImageError
from bukva.tasks.document.answer import LABELS
from bukva.tasks.document.collection import read_lines, to_pixels
from bukva.tasks.document.evaluation.scores import (
    recall_at_specificity,
    score_balanced,
    with_probability,
)
from bukva.tasks.document.framing import frame_piece
from bukva.tasks.document.parameters import DataParameters
from bukva.tasks.document.recogniser import DocumentRecogniser

_IS_INK: Final = 0.08
_AROUND_INK_PX: Final = 7
_INK_255: Final = 76
_SALIENCY_LINES: Final = 300

LeftOut = Callable[[pd.DataFrame, UInt8Array], DocumentRecogniser]
"""Trains a network on a table and its images."""


class Controls(NamedTuple):
    """Test lines without their ink, and what is left to see of each.

    Attributes:
        table: Rows of the sample table.
        papers_NHW: What the network would be shown of the paper; empty where nothing is left.
        features_NF: Of the picture itself: sides, tone and texture of the paper.
    """

    table: pd.DataFrame
    papers_NHW: UInt8Array
    features_NF: NDArray[np.float64]


def choose_controls(table: pd.DataFrame, count: int) -> pd.DataFrame:
    """Return lines whose paper is looked at: of training, to learn from it, and of the test."""
    return pd.concat([_choose(table, split, count) for split in ("train", "test")])


def read_raw(
    corpora: LazyCorpora, wanted: Collection[str], data: DataParameters
) -> dict[str, UInt8Array]:
    """Read lines once more: return the grey pictures of those that are wanted, by `sample_id`."""
    return {
        f"{corpus}/{sample.name}": to_pixels(sample)
        for corpus, sample in read_lines(corpora, data)
        if f"{corpus}/{sample.name}" in wanted
    }


def take_ink_off(
    rows: pd.DataFrame, raw: Mapping[str, UInt8Array], recogniser: DocumentRecogniser
) -> Controls:
    """Return lines without their ink, and what their paper is like."""
    papers = [remove_ink(raw[name]) for name in rows["sample_id"]]
    framed = [_frame_or_blank(paper_HW, recogniser) for paper_HW in papers]
    return Controls(rows, np.stack(framed), np.array([describe_paper(each) for each in papers]))


def _choose(table: pd.DataFrame, split: str, count: int) -> pd.DataFrame:
    """Return lines of a split, as many of each label in each corpus as there are, up to a limit."""
    rows = table[table["split"].eq(split)]
    most = max(1, count // rows.groupby(["corpus", "label"]).ngroups)
    return rows.groupby(["corpus", "label"]).sample(frac=1.0, random_state=1).groupby(
        ["corpus", "label"]
    ).head(most)  # fmt: skip


def remove_ink(grey_HW: UInt8Array) -> UInt8Array:
    """Return a picture of its paper alone: where ink was, the paper around it is drawn on."""
    ink_HW = read_text_ink(grey_HW)
    around = np.ones((_AROUND_INK_PX, _AROUND_INK_PX), np.uint8)
    mask_HW = cv2.dilate((ink_HW > _IS_INK).astype(np.uint8), around)
    return np.asarray(cv2.inpaint(grey_HW, mask_HW, 3, cv2.INPAINT_TELEA), dtype=np.uint8)


def _frame_or_blank(paper_HW: UInt8Array, recogniser: DocumentRecogniser) -> UInt8Array:
    try:
        return frame_piece(read_text_ink(paper_HW), recogniser.frame)
    except ImageError:
        return np.zeros((recogniser.frame.height, recogniser.frame.width), dtype=np.uint8)


def describe_paper(paper_HW: UInt8Array) -> tuple[float, ...]:
    """Return height, log of the aspect, tone, its unevenness and grain: no writing."""
    height, width = paper_HW.shape
    grain_HW = paper_HW.astype(np.float32) - cv2.blur(paper_HW, (5, 5))
    tone = float(np.median(paper_HW))
    return height, float(np.log(width / height)), tone, float(paper_HW.std()), float(grain_HW.std())


def score_controls(controls: Controls, recogniser: DocumentRecogniser) -> list[dict[str, Any]]:
    """Return two rows: what the model says of paper alone, and what the paper itself would tell."""
    is_test_N = controls.table["split"].eq("test").to_numpy()
    tests, papers_NHW = controls.table[is_test_N], controls.papers_NHW[is_test_N]
    hand_N = recogniser.probabilities(papers_NHW)[:, 0].astype(float)
    is_blank_N = ~papers_NHW.any(axis=(1, 2))
    seen = with_probability(tests, hand_N.astype(np.float32))
    # Of what is said to be blank, neither label is right: it counts as a toss of a coin.
    right_N = np.where(is_blank_N, 0.5, seen["predicted"].eq(seen["label"]))
    recalls = [float(right_N[tests["label"].eq(label)].mean()) for label in LABELS]
    paper = _learn_from_paper(controls, is_test_N)
    return [
        {
            "row": "paper alone, shown to the model",
            "balanced_accuracy": round(float(np.mean(recalls)), 4),
            "share_blank": round(float(is_blank_N.mean()), 4),
            "n": len(tests),
        },
        {
            "row": "paper and size of the picture alone (logistic regression)",
            "balanced_accuracy": score_balanced("x", paper)["x.balanced_accuracy"],
            "roc_auc": score_balanced("x", paper)["x.roc_auc"],
            "n": len(tests),
        },
    ]


def _learn_from_paper(controls: Controls, is_test_N: NDArray[np.bool_]) -> pd.DataFrame:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    is_hand_N = controls.table["label"].eq(LABELS[0]).to_numpy()
    model = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced"))
    model.fit(controls.features_NF[~is_test_N], is_hand_N[~is_test_N])
    hand_N = model.predict_proba(controls.features_NF[is_test_N])[:, 1]
    return with_probability(controls.table[is_test_N], hand_N)


def stroke_width_variation(framed_HW: UInt8Array) -> float:
    """Return the coefficient of variation of the stroke's width along its middle lines."""
    is_ink_HW = (framed_HW > _INK_255).astype(np.uint8)
    if not is_ink_HW.any():
        return 0.0
    width_HW = cv2.distanceTransform(is_ink_HW, cv2.DIST_L2, 3)
    widths_N = width_HW[thin(is_ink_HW) > 0]
    return float(widths_N.std() / max(float(widths_N.mean()), 1e-6)) if len(widths_N) else 0.0


def score_stroke_width(table: pd.DataFrame, images_NHW: UInt8Array, count: int) -> dict[str, Any]:
    """Return the row of the baseline: print has strokes of one width.

    Direction and threshold are chosen on the validation split.
    """
    measured = {}
    for split in ("valid", "test"):
        chosen = _choose(table.reset_index(drop=True), split, count)
        values_N = np.array([stroke_width_variation(images_NHW[row]) for row in chosen.index])
        measured[split] = (chosen, values_N)
    valid, values_N = measured["valid"]
    is_hand_N = valid["label"].eq(LABELS[0]).to_numpy()
    limits = np.quantile(values_N, np.linspace(0.02, 0.98, 49))
    balanced = [_balanced_above(values_N, is_hand_N, limit) for limit in limits]
    best = int(np.abs(np.array(balanced) - 0.5).argmax())
    threshold, sign = limits[best], 1.0 if balanced[best] >= 0.5 else -1.0
    tests, values_N = measured["test"]
    hand_N = expit(sign * 20 * (values_N - threshold))
    scores = score_balanced("x", with_probability(tests, hand_N))
    return {
        "row": f"variation of stroke width, threshold {threshold:.3f}",
        "balanced_accuracy": scores["x.balanced_accuracy"],
        "roc_auc": scores["x.roc_auc"],
        "n": len(tests),
    }


def _balanced_above(
    values_N: NDArray[np.float64], is_hand_N: NDArray[np.bool_], limit: float
) -> float:
    """Return the balanced accuracy of calling handwritten what is above a limit."""
    recalls = (values_N[is_hand_N] > limit).mean(), (values_N[~is_hand_N] <= limit).mean()
    return float(np.mean(recalls))


def score_saliency(recogniser: DocumentRecogniser, tests_NHW: UInt8Array) -> dict[str, Any]:
    """Return which share of the class activation maps lies on ink, and of the line ink covers."""
    step = max(1, len(tests_NHW) // _SALIENCY_LINES)
    chosen_NHW = tests_NHW[::step]
    logits_NK, maps_NKhw = recogniser.logits_and_maps(chosen_NHW)
    shares, covers = [], []
    for framed_HW, row_K, maps_Khw in zip(chosen_NHW, logits_NK, maps_NKhw, strict=True):
        kind = int(row_K.argmax())
        evidence_hw = np.maximum(maps_Khw[kind] - maps_Khw[1 - kind], 0)
        columns = np.flatnonzero(framed_HW.any(axis=0))
        line_HW = framed_HW[:, : columns[-1] + 1]
        map_HW = cv2.resize(evidence_hw, framed_HW.shape[::-1])[:, : columns[-1] + 1]
        near_HW = cv2.dilate(line_HW, np.ones((5, 5), np.uint8)) > _INK_255
        if map_HW.sum() > 0:
            shares.append(float(map_HW[near_HW].sum() / map_HW.sum()))
            covers.append(float(near_HW.mean()))
    return {
        "row": "saliency within 2 px of ink (class activation maps)",
        "share_on_ink": round(float(np.mean(shares)), 4),
        "share_of_the_line_that_is_ink": round(float(np.mean(covers)), 4),
        "n": len(shares),
    }


def leave_out(
    source: str, train: LeftOut, table: pd.DataFrame, images_NHW: UInt8Array, resamples: int
) -> dict[str, Any]:
    """Return the row of a source that a network was trained without.

    Balanced accuracy where the source has both labels, else the recall of the one it has.
    """
    is_out_N = table["corpus"].eq(source).to_numpy()
    model = train(table[~is_out_N].reset_index(drop=True), images_NHW[~is_out_N])
    rows = with_probability(
        table[is_out_N], model.probabilities(images_NHW[is_out_N])[:, 0].astype(float)
    )
    right = rows["label"].eq(rows["predicted"])
    recalls = {f"{label}_recall": round(float(right[rows["label"].eq(label)].mean()), 4)
               for label in LABELS if rows["label"].eq(label).any()}  # fmt: skip
    row: dict[str, Any] = {"row": f"trained without {source}", **recalls, "n": len(rows)}
    if len(recalls) == 2:
        scores = score_balanced("x", rows, resamples)
        low, high = scores["x.balanced_accuracy.ci95"]
        row |= {
            "balanced_accuracy": scores["x.balanced_accuracy"], "ci95": f"{low:.3f}-{high:.3f}",
            "roc_auc": scores["x.roc_auc"],
            "recall_at_98_specificity": round(recall_at_specificity(rows, 0.98), 4),
        }  # fmt: skip
    return row


def across_sources(predictions: pd.DataFrame) -> list[dict[str, Any]]:
    """Return how printed lines of each source are told from handwritten ones of each other.

    One model, test lines: where paper decided, pairs of different sources would be the easy ones.
    """
    from sklearn.metrics import roc_auc_score

    rows = []
    by_label: Mapping[str, list[str]] = {
        label: sorted(predictions.loc[predictions["label"].eq(label), "corpus"].unique())
        for label in LABELS
    }
    for hand in by_label[LABELS[0]]:
        for printed in by_label[LABELS[1]]:
            is_pair = (predictions["corpus"].eq(hand) & predictions["label"].eq(LABELS[0])) | (
                predictions["corpus"].eq(printed) & predictions["label"].eq(LABELS[1])
            )
            pair = predictions[is_pair]
            auc = float(roc_auc_score(pair["label"].eq(LABELS[0]), pair["probability"]))
            name = f"{hand} by hand, {printed} printed"
            rows.append({"row": name, "roc_auc": round(auc, 4), "n": len(pair)})
    return rows
