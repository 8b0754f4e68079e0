"""How whole pictures are answered for: lines of one page under each other, of one or both kinds.

Shapes: H x W pixels of a line or picture.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from bukva.core.arrays import UInt8Array
from bukva.core.evaluation.scores import score_share
from bukva.tasks.document.answer import LABELS
from bukva.tasks.document.recogniser import DocumentRecogniser

MOST_LINES: Final = 4
"""Of each kind on a picture."""
_LEAST_LINES: Final = 3
_GAP_PX: Final = 12

RawLines = Mapping[str, UInt8Array]
"""Grey pictures of lines, by `sample_id`."""


def choose_pictures(table: pd.DataFrame, most: int) -> dict[str, list[list[str]]]:
    """Return which test lines make a picture, by what it shows, at most so many of each.

    All lines of a picture are of one page: neither paper nor scanner tells them apart.
    """
    tests = table[table["split"].eq("test") & table["page"].notna()]
    found: dict[str, list[list[str]]] = {"mixed": [], **{label: [] for label in LABELS}}
    for _, page in tests.groupby(["corpus", "page"], sort=True):
        lines = {label: page.loc[page["label"].eq(label), "sample_id"].tolist() for label in LABELS}
        if all(lines.values()):
            found["mixed"].append([name for some in lines.values() for name in some[:MOST_LINES]])
        for label, names in lines.items():
            if len(names) >= _LEAST_LINES:
                found[label].append(names[: 2 * MOST_LINES])
    rng = np.random.default_rng(1)
    return {
        kind: [pictures[place] for place in np.sort(rng.permutation(len(pictures))[:most])]
        for kind, pictures in found.items()
    }


def stack_lines(lines: Sequence[UInt8Array], rng: np.random.Generator) -> UInt8Array:
    """Return lines under each other in a random order, on paper of their usual tone."""
    width = max(line.shape[1] for line in lines) + 4 * _GAP_PX
    height = sum(line.shape[0] + _GAP_PX for line in lines) + _GAP_PX
    tone = int(np.median(np.concatenate([line.ravel() for line in lines])))
    picture_HW = np.full((height, width), tone, dtype=np.uint8)
    top = _GAP_PX
    for place in rng.permutation(len(lines)):
        line = lines[place]
        left = int(rng.integers(_GAP_PX, width - line.shape[1] - _GAP_PX))
        picture_HW[top : top + line.shape[0], left : left + line.shape[1]] = line
        top += line.shape[0] + _GAP_PX
    return picture_HW


def score_pictures(
    recogniser: DocumentRecogniser, pictures: Mapping[str, Sequence[Sequence[str]]], raw: RawLines
) -> Iterator[dict[str, Any]]:
    """Yield a row a kind: how many pictures of lines of one page are called what they are."""
    rng = np.random.default_rng(2)
    for kind, wanted in pictures.items():
        answers = [
            recogniser.answer_pixels(stack_lines([raw[name] for name in names], rng))
            for names in wanted
        ]
        if answers:
            right = np.array([answer.label == kind for answer in answers])
            yield _to_row(f"pictures of several lines of a page, {kind}", right)


def score_lines(
    recogniser: DocumentRecogniser, rows: pd.DataFrame, raw: RawLines
) -> Iterator[dict[str, Any]]:
    """Yield a row a label: how many single lines are called what they are, from picture to answer.

    Here a line may be called mixed or blank, too, which is wrong.
    """
    for label, of_label in rows.groupby("label"):
        answers = [recogniser.answer_pixels(raw[name]) for name in of_label["sample_id"]]
        right = np.array([answer.label == label for answer in answers])
        yield _to_row(f"single lines from picture to answer, {label}", right)


def _to_row(name: str, right: Any) -> dict[str, Any]:
    scores = score_share("share_right", right)
    low, high = scores["share_right.ci95"]
    return {
        "row": name,
        "share_right": round(scores["share_right"], 4),
        "ci95": f"{low:.3f}-{high:.3f}",
        "n": scores["share_right.n"],
    }
