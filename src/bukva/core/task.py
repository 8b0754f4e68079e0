"""The seam between a task and the rooms that serve every task: templates, registry, promotion."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from pydantic import BaseModel

from bukva.core.arrays import UInt8Array
from bukva.core.predictor import OnnxModel

Scores = dict[str, Any]
"""Flat keys, ready for JSON: a share, `<key>.ci95` its interval, `<key>.n` its samples."""


@dataclass(frozen=True)
class Task:
    """What must be known of a task to package, verify, compare and promote its models.

    Attributes:
        name: Namespace of its pipelines, and what stands under `task` in a model's specification.
        question: What a packaged model is asked for each row of a table.
        answer: What it answers for each row.
        load: Makes the predictor of an ONNX file, of its bytes or opened already; it has a method
            `recognise`, from a column of encoded images to a table of answers.
        check_golden: Raises ParityError where a predictor answers its golden samples, as they were
            packaged, otherwise.
        is_tested: Which samples of a table predictors are compared on.
        predict: Returns the samples with what a predictor says of them.
        is_comparable: Whether two predictors take the same inputs, and tell the same apart.
        compare: Compares two tables of predictions of the same samples; the difference of each
            measure is second minus first.
        guards: Measures of `compare` that promotion must not lose, with their names in words.
        embedded_corpora: They prove too little for their absence to stand in a promotion's way.
    """

    name: str
    question: type[BaseModel]
    answer: type[BaseModel]
    load: Callable[[bytes | OnnxModel], Any]
    check_golden: Callable[[Any, bytes], None]
    is_tested: Callable[[pd.DataFrame], pd.Series]
    predict: Callable[[Any, pd.DataFrame, UInt8Array], pd.DataFrame]
    is_comparable: Callable[[Any, Any], bool]
    compare: Callable[[pd.DataFrame, pd.DataFrame], Scores]
    guards: Mapping[str, str]
    embedded_corpora: Collection[str] = ()
