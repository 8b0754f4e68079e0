"""Nodes of `promotion`.

Shapes: N samples, H x W pixels.
"""

import json
from typing import Any

import pandas as pd

from bukva.data.embedded import EMBEDDED_CORPORA
from bukva.data.samples import UInt8Array
from bukva.data.schema import page_features
from bukva.errors import RegistryError
from bukva.evaluation.metrics import compare
from bukva.evaluation.prediction_table import make_prediction_table
from bukva.inference.recogniser import Recogniser
from bukva.model_registry.registry import PackagedModel
from bukva.parameters import PromotionParameters

Verdict = dict[str, Any]
_COMPARABLE = ("labels", "page_features", "preprocessing")


def judge_candidate(
    candidate: PackagedModel,
    production: PackagedModel | None,
    table: pd.DataFrame,
    images_NHW: UInt8Array,
    results: dict[str, Any],
    parameters: PromotionParameters,
) -> tuple[Verdict, Verdict]:
    """Decide whether the candidate takes the place of the model in production.

    Both answer for the same test samples. The verdict is returned twice: to be kept as a report,
    and to be carried out.

    Raises:
        RegistryError: If the candidate is not the model that was evaluated.
    """
    _check_evaluated(candidate, results)
    is_test = table["split"].eq("test")
    tests, images_NHW = table[is_test], images_NHW[is_test.to_numpy()]
    comparison, reason, is_better = _judge(candidate, production, tests, images_NHW, parameters)
    is_known = production is not None and production.sha256 == candidate.sha256
    is_forced = parameters.force and not is_better and not is_known
    verdict = {
        "is_promoted": is_better or is_forced,
        "is_known": is_known,
        "reason": f"{reason}; forced by promotion.force" if is_forced else reason,
        "production_version": production.version if production else None,
        "comparison": comparison,
        "tags": {
            "corpora": sorted(tests["corpus"].unique()),
            "data_fingerprint": results["model.data_fingerprint"],
            **{key: value for key, value in results.items() if "accuracy" in key.split(".")[-1]},
        },
    }
    return verdict, verdict


def _check_evaluated(candidate: PackagedModel, results: dict[str, Any]) -> None:
    packaged = Recogniser(candidate.onnx_model).spec["weights_sha256"]
    evaluated = results["model.weights_sha256"]
    if packaged != evaluated:
        message = (
            f"Expected the packaged model to be the evaluated one (weights {evaluated[:12]}), got "
            f"{packaged[:12]}. Run: kedro run --pipeline=evaluation, then --pipeline=packaging."
        )
        raise RegistryError(message)


def _judge(
    candidate: PackagedModel,
    production: PackagedModel | None,
    tests: pd.DataFrame,
    images_NHW: UInt8Array,
    parameters: PromotionParameters,
) -> tuple[dict[str, Any], str, bool]:
    """Return the comparison, the reason in words, and whether the candidate is better."""
    if production is None:
        return {}, "no model is in production", True
    if production.sha256 == candidate.sha256:
        return {}, f"it is version {production.version}, already in production", False
    # The embedded corpora prove too little for their absence to stand in the way.
    proven = set(json.loads(production.tags.get("corpora", "[]"))) - EMBEDDED_CORPORA
    missing = proven - set(tests["corpus"])
    if missing:
        tested = ", ".join(sorted(missing))
        return {}, f"the model in production was tested on {tested}, this one was not", False
    new, old = Recogniser(candidate.onnx_model), Recogniser(production.onnx_model)
    if any(new.spec[key] != old.spec[key] for key in _COMPARABLE):
        return {}, "the model in production takes other inputs: it cannot be compared", False
    comparison = compare(_predict(old, tests, images_NHW), _predict(new, tests, images_NHW))
    gain = float(comparison["label_accuracy.difference"])  # type: ignore[arg-type]
    reason = f"label accuracy on the same {len(tests)} test samples: {gain:+.2%}"
    return comparison, reason, gain > -parameters.tolerance


def _predict(recogniser: Recogniser, tests: pd.DataFrame, images_NHW: UInt8Array) -> pd.DataFrame:
    probabilities = recogniser.probabilities(images_NHW, page_features(tests))
    return make_prediction_table(
        tests, probabilities.label_NK, probabilities.uppercase_N, recogniser.labels
    )
