"""Nodes of `promotion`.

Shapes: N samples, H x W pixels.
"""

from typing import Any

import pandas as pd

from bukva.data.columns import is_symbol
from bukva.data.samples import UInt8Array, digest_test_split
from bukva.evaluation.verdict import judge
from bukva.inference.recogniser import Recogniser
from bukva.model_registry.models import PackagedModel
from bukva.model_registry.names import PRODUCTION_ALIAS, TEST_SPLIT_TAG
from bukva.model_registry.registration import Registration
from bukva.parameters import PromotionParameters
from bukva.pipelines.promotion.choice import choose
from bukva.pipelines.promotion.comparison import find_untested, is_comparable, predict

Verdict = dict[str, Any]
Decision = dict[str, Any]
Versions = dict[str, PackagedModel]


def choose_candidate(
    packaged: list[PackagedModel], registered: Versions, parameters: PromotionParameters
) -> PackagedModel:
    """Choose the model that may go into production."""
    return choose(packaged, registered, parameters)


def judge_candidate(
    candidate: PackagedModel,
    registered: Versions,
    table: pd.DataFrame,
    images_NHW: UInt8Array,
    parameters: PromotionParameters,
) -> Verdict:
    """Let the candidate and the model in production answer for the same test samples."""
    production = registered.get(PRODUCTION_ALIAS)
    named = {
        "candidate_sha256": candidate.sha256,
        "production_version": production.version if production else None,
        "production_sha256": production.sha256 if production else None,
    }
    if production is None:
        return named | {"is_accepted": True, "reason": "no model is in production"}
    if production.sha256 == candidate.sha256:
        reason = f"it is version {production.version}, already in production"
        return named | {"is_accepted": False, "reason": reason}
    return named | _compare(candidate, production, table, images_NHW, parameters)


def decide(
    candidate: PackagedModel,
    registered: Versions,
    verdict: Verdict,
    parameters: PromotionParameters,
) -> tuple[Registration, Decision]:
    """Say what becomes of the candidate."""
    production = registered.get(PRODUCTION_ALIAS)
    is_known = production is not None and production.sha256 == candidate.sha256
    is_wanted = (verdict["is_accepted"] or parameters.force) and parameters.promote
    is_promoted = is_wanted and not is_known
    reason = _reason(verdict, parameters, is_known=is_known)
    decision = {
        "is_promoted": is_promoted,
        "is_known": is_known,
        "reason": reason,
        "candidate": candidate.uri,
        "candidate_run": candidate.origin.run_id if candidate.origin else None,
        "production_version": production.version if production else None,
    }
    registration = Registration(
        model=candidate,
        is_promoted=is_promoted,
        production_version=production.version if production else "",
        reason=reason,
    )
    return registration, decision


def _compare(
    candidate: PackagedModel,
    production: PackagedModel,
    table: pd.DataFrame,
    images_NHW: UInt8Array,
    parameters: PromotionParameters,
) -> Verdict:
    ours, theirs = Recogniser(candidate.onnx_model), Recogniser(production.onnx_model)
    if not is_comparable(theirs, ours):
        reason = "the model in production takes other inputs: it cannot be compared"
        return {"is_accepted": False, "reason": reason}
    is_test = (table["split"].eq("test") & is_symbol(table)).to_numpy()
    tests, images_NHW = table[is_test], images_NHW[is_test]
    judgement = judge(
        predict(theirs, tests, images_NHW), predict(ours, tests, images_NHW), parameters.tolerance
    )
    faults = _faults(candidate, production, tests, digest_test_split(tests, images_NHW))
    reason = "; ".join([*faults, judgement["reason"]])
    return judgement | {
        "is_accepted": judgement["is_accepted"] and not faults,
        "reason": reason,
    }


def _faults(
    candidate: PackagedModel, production: PackagedModel, tests: pd.DataFrame, test_split: str
) -> list[str]:
    """Return why a comparison would say too little, however it ends."""
    faults = []
    if untested := find_untested(production, sorted(tests["corpus"].unique())):
        named = ", ".join(untested)
        faults.append(f"the model in production was tested on {named}, this one was not")
    if candidate.tags.get(TEST_SPLIT_TAG) != test_split:
        faults.append(
            "it was made with another test split, so that it may have learnt from these test "
            "samples"
        )
    return faults


def _reason(verdict: Verdict, parameters: PromotionParameters, *, is_known: bool) -> str:
    reason: str = verdict["reason"]
    if is_known:
        return reason
    if not parameters.promote:
        return f"{reason}; promotion.promote is false"
    is_forced = parameters.force and not verdict["is_accepted"]
    return f"{reason}; forced by promotion.force" if is_forced else reason
