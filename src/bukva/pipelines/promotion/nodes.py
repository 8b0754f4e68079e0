"""Nodes of `promotion`."""

import json
from typing import Any

import pandas as pd

from bukva.dossier import CARD, FIGURE_SUFFIX, GOLDEN, REFERENCE, RESULTS
from bukva.errors import RegistryError
from bukva.inference.golden import check_golden_samples, write_golden
from bukva.inference.recogniser import Recogniser
from bukva.model_registry.registry import PackagedModel
from bukva.parameters import PromotionParameters

Decision = dict[str, Any]


def decide(
    candidate: PackagedModel,
    production: PackagedModel | None,
    verdict: dict[str, Any],
    parameters: PromotionParameters,
) -> Decision:
    """Obey the verdict of `evaluation`, if it is about this candidate and this production.

    Raises:
        RegistryError: If another model was evaluated, or was in production then.
    """
    _check_evaluated(candidate, verdict)
    is_known = production is not None and production.sha256 == candidate.sha256
    if not is_known:
        _check_production(production, verdict)
    is_accepted = verdict["is_accepted"] and not is_known
    is_forced = parameters.force and not is_accepted and not is_known
    return {
        "is_promoted": is_accepted or is_forced,
        "is_known": is_known,
        "reason": _reason(production if is_known else None, verdict, is_forced=is_forced),
        "production_version": production.version if production else None,
        "tags": verdict["tags"],
    }


def add_dossier(
    decision: Decision,
    candidate: PackagedModel,
    golden: pd.DataFrame,
    reference: dict[str, Any],
    results: dict[str, Any],
    card: str,
    label_confusion: bytes,
    case_confusion: bytes,
) -> Decision:
    """Return the decision with the files that are to travel in the model, as `dossier`.

    Raises:
        ParityError: If the model answers otherwise than when the golden samples were chosen.
    """
    check_golden_samples(Recogniser(candidate.onnx_model), golden)
    dossier = {
        GOLDEN: write_golden(golden),
        REFERENCE: _to_json(reference),
        RESULTS: _to_json(results),
        CARD: card.encode(),
        f"label_confusion{FIGURE_SUFFIX}": label_confusion,
        f"case_confusion{FIGURE_SUFFIX}": case_confusion,
    }
    return {**decision, "dossier": dossier}


def _to_json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, indent=2).encode()


def _reason(known: PackagedModel | None, verdict: dict[str, Any], *, is_forced: bool) -> str:
    if known is not None:
        return f"it is version {known.version}, already in production"
    reason: str = verdict["reason"]
    return f"{reason}; forced by promotion.force" if is_forced else reason


def _check_evaluated(candidate: PackagedModel, verdict: dict[str, Any]) -> None:
    packaged = Recogniser(candidate.onnx_model).spec["weights_sha256"]
    evaluated = verdict["weights_sha256"]
    if packaged != evaluated:
        message = (
            f"Expected the packaged model to be the evaluated one (weights {evaluated[:12]}), got "
            f"{packaged[:12]}. Run: kedro run --pipeline=evaluation, then --pipeline=packaging."
        )
        raise RegistryError(message)


def _check_production(production: PackagedModel | None, verdict: dict[str, Any]) -> None:
    """Refuse a verdict of another comparison: somebody promoted, or rolled back, since then."""
    found = production.sha256 if production else None
    if found != verdict["production_sha256"]:
        message = (
            f"Expected the model in production to be the one that the verdict compared with "
            f"({_name(verdict['production_version'])}), got "
            f"{_name(production.version if production else None)}. "
            "Run: kedro run --pipeline=evaluation, then --pipeline=promotion."
        )
        raise RegistryError(message)


def _name(version: str | None) -> str:
    return f"version {version}" if version else "none"
