"""Nodes of `packaging`.

Shapes: N samples, H x W pixels.
"""

from typing import Any

import pandas as pd

from bukva.data.samples import UInt8Array
from bukva.inference.export import export_onnx
from bukva.inference.golden import golden_samples
from bukva.inference.parity import check_parity
from bukva.inference.recogniser import Recogniser
from bukva.inference.reference import describe_reference
from bukva.models.trained import TrainedModel
from bukva.parameters import PackagingParameters


def export(model: TrainedModel, parameters: PackagingParameters) -> Recogniser:
    """Turn the trained model into an ONNX recogniser."""
    return Recogniser(export_onnx(model, parameters.opset))


def verify(
    model: TrainedModel,
    recogniser: Recogniser,
    table: pd.DataFrame,
    images_NHW: UInt8Array,
    parameters: PackagingParameters,
) -> tuple[Recogniser, dict[str, float]]:
    """Pass the recogniser on only if it agrees with the trained model on every test image."""
    is_test = table["split"].eq("test")
    report = check_parity(
        model, recogniser, table[is_test], images_NHW[is_test.to_numpy()],
        tolerance=parameters.parity_tolerance,
    )  # fmt: skip
    return recogniser, report


def choose_golden_samples(
    recogniser: Recogniser,
    table: pd.DataFrame,
    images_NHW: UInt8Array,
    parameters: PackagingParameters,
) -> pd.DataFrame:
    """Choose test images, with the recogniser's answers, to test it by wherever it is loaded."""
    return golden_samples(recogniser, table, images_NHW, parameters.golden_samples_per_symbol)


def describe_drift_reference(
    recogniser: Recogniser,
    table: pd.DataFrame,
    images_NHW: UInt8Array,
    parameters: PackagingParameters,
) -> dict[str, Any]:
    """Describe validation samples, to compare with what the model is asked once it serves."""
    return describe_reference(
        recogniser, table, images_NHW, parameters.reference_samples_per_symbol
    )
