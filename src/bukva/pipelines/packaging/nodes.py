"""Nodes of `packaging`.

Shapes: N samples, H x W pixels.
"""

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from bukva.core.arrays import UInt8Array
from bukva.core.samples import digest_test_split, of_split
from bukva.errors import ModelFormatError
from bukva.registry.package_files import (
    CARD,
    FIGURE_SUFFIX,
    GOLDEN,
    PARAMETERS,
    REFERENCE,
    RESULTS,
    TEST_SPLIT_TAG,
)
from bukva.registry.packaging import Package
from bukva.tasks.glyph.golden import golden_samples, write_golden
from bukva.tasks.glyph.parameters import PackagingParameters
from bukva.tasks.glyph.parity import check_parity
from bukva.tasks.glyph.recogniser import Recogniser
from bukva.tasks.glyph.reference import describe_reference
from bukva.tasks.glyph.table import is_symbol
from bukva.tasks.glyph.trained import TrainedModel

Dossier = dict[str, bytes]


def export(model: TrainedModel, parameters: PackagingParameters) -> Recogniser:
    """Turn the trained model into an ONNX recogniser."""
    from bukva.tasks.glyph.export import export_onnx

    return Recogniser(export_onnx(model, parameters.opset))


def verify(
    model: TrainedModel,
    recogniser: Recogniser,
    table: pd.DataFrame,
    images_NHW: UInt8Array,
    parameters: PackagingParameters,
) -> tuple[Recogniser, dict[str, float]]:
    """Pass the recogniser on only if it agrees with the trained model on every test image."""
    tests = of_split(table, images_NHW, "test")
    report = check_parity(model, recogniser, *tests, tolerance=parameters.parity_tolerance)
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


def assemble_dossier(
    recogniser: Recogniser,
    golden: pd.DataFrame,
    reference: dict[str, Any],
    results: dict[str, Any],
    card: str,
    label_confusion: bytes,
    case_confusion: bytes,
) -> Dossier:
    """Gather what travels with the model, as files by name."""
    return {
        GOLDEN: write_golden(golden),
        REFERENCE: _to_json(reference),
        RESULTS: _to_json(results),
        PARAMETERS: _to_json(recogniser.spec["parameters"]),
        CARD: card.encode(),
        f"label_confusion{FIGURE_SUFFIX}": label_confusion,
        f"case_confusion{FIGURE_SUFFIX}": case_confusion,
    }


def assemble_package(
    recogniser: Recogniser,
    dossier: Dossier,
    results: dict[str, Any],
    table: pd.DataFrame,
    images_NHW: UInt8Array,
) -> Package:
    """Put the recogniser together with its dossier and what is written down of it.

    Raises:
        ModelFormatError: If the results are of another model.
    """
    _check_evaluated(recogniser, results)
    tests = table[table["split"].eq("test") & is_symbol(table)]
    spec = recogniser.spec
    return Package(
        recogniser,
        dossier,
        tags={
            "network": spec["network"],
            "sizes": spec["sizes"],
            "weights_sha256": spec["weights_sha256"],
            "data_fingerprint": spec["data_fingerprint"],
            TEST_SPLIT_TAG: digest_test_split(tests, images_NHW[tests.index]),
            "corpora": sorted(tests["corpus"].unique()),
            "trained_on": spec["corpora"],
            "parameters": spec["parameters"],
            **_accuracies(results),
        },
        metrics={key: value for key, value in results.items() if _is_metric(key, value)},
    )


def _accuracies(results: Mapping[str, Any]) -> dict[str, Any]:
    """Return the accuracies with their intervals."""
    return {key: value for key, value in results.items() if "accuracy" in _measure_of(key)}


def _measure_of(key: str) -> str:
    return key.removesuffix(".ci95").split(".")[-1]


def _is_metric(key: str, value: Any) -> bool:
    return isinstance(value, float) and not key.startswith("seconds.")


def _check_evaluated(recogniser: Recogniser, results: dict[str, Any]) -> None:
    packaged, evaluated = recogniser.spec["weights_sha256"], results["model.weights_sha256"]
    if packaged != evaluated:
        message = (
            f"Expected results of the packaged model (weights {packaged[:12]}), got those of "
            f"{evaluated[:12]}. Run: kedro run --pipeline=evaluation, then --pipeline=packaging."
        )
        raise ModelFormatError(message)


def _to_json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, indent=2).encode()
