"""How accuracy falls when the drawings are not like those that were learnt from.

Shapes: N samples, H x W pixels, S chosen samples.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bukva.data.samples import UInt8Array
from bukva.evaluation.intervals import wilson_interval
from bukva.evaluation.shifts import SHIFTS, leave, shift_frames
from bukva.parameters.evaluation import ShiftName

Judge: TypeAlias = Callable[[UInt8Array], NDArray[np.bool_]]
"""From images of the chosen samples to whether the label of each is read rightly."""

STORED: Final = "stored"
RENDERED: Final = "rendered"


def choose_evenly(table: pd.DataFrame, count: int, seed: int) -> NDArray[np.intp]:
    """Return row numbers of about as many samples of each corpus, and of each of its labels."""
    shuffled = table.reset_index(drop=True).sample(frac=1, random_state=seed)
    place_N = shuffled.groupby(["corpus", "label"]).cumcount()
    dealt = shuffled.assign(place=place_N).sort_values("place", kind="stable")
    per_corpus = -(-count // max(1, table["corpus"].nunique()))
    return np.sort(dealt.groupby("corpus").head(per_corpus).index.to_numpy())


def measure_robustness(
    corpora: pd.Series,
    images_SHW: UInt8Array,
    is_right: Judge,
    strengths: Mapping[ShiftName, Sequence[float]],
    seed: int,
) -> pd.DataFrame:
    """Return the label accuracy on disturbed samples, by corpus.

    Args:
        corpora: Of each sample.
        images_SHW: Their frames, uint8, ink high on zero.
        is_right: Asks the recogniser; the page features stay as they were.
        strengths: What happens to the samples, and how strongly.
        seed: Of its randomness.

    Returns:
        One row a shift, strength and corpus: `shift`, `strength`, `corpus`, `n`, `accuracy` and its
        95 % interval `low`, `high` (Wilson), `empty` (share of which nothing was left; they
        count as misread). The shift `stored` is the samples as they are, `rendered` what is
        left after they were enlarged and framed again, with nothing else done to them.
    """
    rows: list[dict[str, object]] = []
    nothing_S = np.zeros(len(images_SHW), dtype=bool)
    shown = [(STORED, 0.0, images_SHW, nothing_S)]
    for shift, strength, frames_SHW, is_empty_S in [*shown, *_disturb(images_SHW, strengths, seed)]:
        is_right_S = pd.Series(is_right(frames_SHW) & ~is_empty_S)
        for corpus, found in is_right_S.groupby(corpora.to_numpy()):
            empty = float(is_empty_S[found.index].mean())
            start = {"shift": shift, "strength": strength, "corpus": corpus}
            rows.append(start | _accuracy(found) | {"empty": empty})
    return pd.DataFrame(rows)


def _disturb(
    images_SHW: UInt8Array, strengths: Mapping[ShiftName, Sequence[float]], seed: int
) -> Iterator[tuple[str, float, UInt8Array, NDArray[np.bool_]]]:
    yield RENDERED, 0.0, *shift_frames(images_SHW, leave, 0.0, seed)
    for name, values in strengths.items():
        for strength in values:
            yield name, strength, *shift_frames(images_SHW, SHIFTS[name], strength, seed)


def _accuracy(is_right: pd.Series) -> dict[str, object]:
    right, total = int(is_right.sum()), len(is_right)
    low, high = wilson_interval(right, total)
    return {"n": total, "accuracy": right / total, "low": low, "high": high}
