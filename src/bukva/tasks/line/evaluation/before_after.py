"""What adapting a model brought: lines kept aside, read before and after.

Shapes: N lines, H x W pixels.
"""

from typing import Final

import numpy as np
import pandas as pd

from bukva.core.arrays import UInt8Array
from bukva.core.evaluation.scores import DECIMALS
from bukva.core.task import Scores
from bukva.tasks.line.evaluation.scores import compare, predict, score
from bukva.tasks.line.recogniser import LineRecogniser

FORMER: Final = "former"
_SEED: Final = 1


def draw(table: pd.DataFrame, images_NHW: UInt8Array, most: int) -> tuple[pd.DataFrame, UInt8Array]:
    """Return at most so many lines, drawn at random."""
    kept = np.sort(np.random.default_rng(_SEED).permutation(len(table))[:most])
    return table.iloc[kept], images_NHW[kept]


def read_twice(
    before: LineRecogniser, after: LineRecogniser, table: pd.DataFrame, images_NHW: UInt8Array
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what both read of the same lines."""
    return predict(before, table, images_NHW), predict(after, table, images_NHW)


def score_gain(scope: str, before: pd.DataFrame, after: pd.DataFrame, resamples: int) -> Scores:
    """Return the error rates of some lines before and after, and what became of them.

    `<scope>.cer_lost` is the share of the CER that is gone; below 0 where it grew.
    """
    scores: Scores = {}
    for when, predictions in (("before", before), ("after", after)):
        found = score(predictions, resamples)
        scores |= {
            f"{scope}.{when}.{key.removeprefix('all.')}": value
            for key, value in found.items()
            if key.startswith(("all.cer", "all.wer", "all.groups"))
        }
    first, last = scores[f"{scope}.before.cer"], scores[f"{scope}.after.cer"]
    if first:
        scores[f"{scope}.cer_lost"] = round(1 - last / first, DECIMALS)
    told = compare(before, after)
    wanted = ("characters_right.difference", "characters_right.difference.ci95")
    return scores | {f"{scope}.{key}": told[key] for key in wanted}


def to_table(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Return one row a line: what it says, and what was read before and after."""
    columns = ["sample_id", "page", "split", "text"]
    return before[columns].assign(
        found_before=before["found"], found_after=after["found"],
        edits_before=before["character_edits"], edits_after=after["character_edits"],
    )  # fmt: skip
