"""From a packaged candidate to a registered version, for any task.

Shapes: N samples, H x W pixels.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import pandas as pd
from kedro.pipeline import Node, Pipeline

from bukva.core.arrays import UInt8Array
from bukva.core.evaluation.verdict import Decision, Judgement, Verdict, judge
from bukva.core.parameters import PromotionParameters
from bukva.core.samples import digest_test_split
from bukva.core.task import Task
from bukva.errors import RegistryError
from bukva.registry.models import PackagedModel
from bukva.registry.package_files import DIGEST_TAG, PRODUCTION_ALIAS, TEST_SPLIT_TAG
from bukva.registry.registry import Registration

_logger = logging.getLogger(__name__)

_PACKAGE = "Run: kedro run --pipeline=packaging"


def promotion_pipeline(task: Task) -> Pipeline:
    """Return the pipeline; saving `registration` is what registers and promotes."""

    # A function and no partial: Kedro reads its annotations.
    def judge_of_task(
        candidate: PackagedModel,
        registered: Versions,
        table: pd.DataFrame,
        images_NHW: UInt8Array,
        parameters: PromotionParameters,
    ) -> Stored:
        """Let the candidate and the model in production answer for the same test samples."""
        return judge_candidate(task, candidate, registered, table, images_NHW, parameters)

    samples = ["sample_table", "sample_images", "params:promotion"]
    return Pipeline(
        [
            Node(
                choose_candidate,
                inputs=["packaged_models", "registered_models", "params:promotion"],
                outputs="candidate_model",
                name="choose_candidate",
            ),
            Node(
                judge_of_task,
                inputs=["candidate_model", "registered_models", *samples],
                outputs="verdict",
                name="judge_candidate",
            ),
            Node(
                decide,
                inputs=["candidate_model", "registered_models", "verdict", "params:promotion"],
                # In this order: what could not be carried out was not decided.
                outputs=["registration", "decision"],
                name="decide",
            ),
        ]
    )


def choose(
    packaged: Sequence[PackagedModel],
    registered: Mapping[str, PackagedModel],
    parameters: PromotionParameters,
) -> PackagedModel:
    """Return the model that the parameters name.

    Args:
        packaged: What was logged, the last one first.
        registered: Versions by number and alias.
        parameters: How to choose.

    Raises:
        RegistryError: If there is no such model, or it is of a run that did not finish.
    """
    if parameters.version is not None:
        return _choose_version(registered, parameters.version)
    if parameters.run_id is not None:
        return _choose_run(packaged, parameters.run_id)
    finished = [model for model in packaged if not find_fault(model)]
    if parameters.metric is not None:
        ranked = _rank(finished, parameters.metric, parameters)
        finished = list(islice(filter(_is_whole, ranked), 1))
    if not finished:
        raise RegistryError(f"Expected a packaged model, found none that is complete. {_PACKAGE}")
    return finished[0]


def find_fault(model: PackagedModel) -> str:
    """Return why a packaged model cannot be a candidate, empty if it can."""
    if model.origin is None:
        return "it belongs to no run"
    if model.origin.status != "FINISHED":
        return f"its run {model.origin.run_id} is {model.origin.status}"
    if DIGEST_TAG not in model.tags:
        return "its packaging was interrupted before it was sealed"
    return ""


def _choose_version(registered: Mapping[str, PackagedModel], version: str) -> PackagedModel:
    if version not in registered:
        known = ", ".join(registered) or "none"
        message = f"Expected a registered version or alias (promotion.version), got '{version}'"
        raise RegistryError(f"{message}, of {known}.")
    return registered[version]


def _choose_run(packaged: Sequence[PackagedModel], run_id: str) -> PackagedModel:
    found = next(
        (model for model in packaged if model.origin and model.origin.run_id == run_id), None
    )
    if found is None:
        message = f"Expected a run that packaged a model (promotion.run_id), got {run_id}."
        raise RegistryError(f"{message} {_PACKAGE}")
    if fault := find_fault(found):
        raise RegistryError(f"Expected a complete model of run {run_id}, got one: {fault}.")
    return found


def _is_whole(model: PackagedModel) -> bool:
    """Return whether the files of a model are whole; they are looked at, so ask the best first."""
    if damage := model.find_damage():
        _logger.warning("Passed over a packaged model: %s", damage)
    return not damage


def _rank(
    finished: Sequence[PackagedModel], metric: str, parameters: PromotionParameters
) -> list[PackagedModel]:
    among = [model for model in finished if _is_of(model, parameters.experiments)]
    measured = [model for model in among if metric in model.metrics]
    if not measured:
        known = ", ".join(sorted({key for model in among for key in model.metrics})) or "none"
        where = ", ".join(parameters.experiments) or "any experiment"
        message = f"Expected a model with the metric '{metric}' (promotion.metric) in {where}, got"
        raise RegistryError(f"{message} {len(among)} models with: {known}.")
    sign = 1 if parameters.is_lower_better else -1
    # Of equals the newest stays first.
    return sorted(measured, key=lambda model: sign * model.metrics[metric])


def _is_of(model: PackagedModel, experiments: Sequence[str]) -> bool:
    return not experiments or (model.origin is not None and model.origin.experiment in experiments)


Stored = dict[str, Any]
"""A `Verdict` or a `Decision` as the catalog keeps it: JSON."""
Versions = dict[str, PackagedModel]


def choose_candidate(
    packaged: list[PackagedModel], registered: Versions, parameters: PromotionParameters
) -> PackagedModel:
    """Choose the model that may go into production."""
    return choose(packaged, registered, parameters)


def judge_candidate(
    task: Task,
    candidate: PackagedModel,
    registered: Versions,
    table: pd.DataFrame,
    images_NHW: UInt8Array,
    parameters: PromotionParameters,
) -> Stored:
    """Let the candidate and the model in production answer for the same test samples."""
    production = registered.get(PRODUCTION_ALIAS)
    if production is None:
        judgement = Judgement(is_accepted=True, reason="no model is in production")
    elif production.sha256 == candidate.sha256:
        reason = f"it is version {production.version}, already in production"
        judgement = Judgement(is_accepted=False, reason=reason)
    else:
        judgement = _compare(task, candidate, production, table, images_NHW, parameters)
    return Verdict(
        candidate_sha256=candidate.sha256,
        production_version=production.version if production else None,
        production_sha256=production.sha256 if production else None,
        **judgement.model_dump(exclude_unset=True),
    ).to_json()


def decide(
    candidate: PackagedModel, registered: Versions, verdict: Stored, parameters: PromotionParameters
) -> tuple[Registration, Stored]:
    """Say what becomes of the candidate."""
    judged, production = Verdict.model_validate(verdict), registered.get(PRODUCTION_ALIAS)
    is_known = production is not None and production.sha256 == candidate.sha256
    is_wanted = (judged.is_accepted or parameters.force) and parameters.promote
    decision = Decision(
        is_promoted=is_wanted and not is_known,
        is_known=is_known,
        reason=_reason(judged, parameters, is_known=is_known),
        candidate=candidate.uri,
        candidate_run=candidate.origin.run_id if candidate.origin else None,
        production_version=production.version if production else None,
    )
    registration = Registration(
        model=candidate,
        is_promoted=decision.is_promoted,
        production_version=decision.production_version or "",
        reason=decision.reason,
    )
    return registration, decision.model_dump()


def _compare(
    task: Task,
    candidate: PackagedModel,
    production: PackagedModel,
    table: pd.DataFrame,
    images_NHW: UInt8Array,
    parameters: PromotionParameters,
) -> Judgement:
    ours, theirs = task.load(candidate.onnx_model), task.load(production.onnx_model)
    if not task.is_comparable(theirs, ours):
        reason = "the model in production takes other inputs: it cannot be compared"
        return Judgement(is_accepted=False, reason=reason)
    is_test = (table["split"].eq("test") & task.is_tested(table)).to_numpy()
    tests, images_NHW = table[is_test], images_NHW[is_test]
    before, now = (task.predict(each, tests, images_NHW) for each in (theirs, ours))
    judgement = judge(task, before, now, parameters.tolerance)
    split = digest_test_split(tests, images_NHW)
    faults = _faults(task, candidate, production, tests, split)
    said = {
        "is_accepted": judgement.is_accepted and not faults,
        "reason": "; ".join([*faults, judgement.reason]),
    }
    return judgement.model_copy(update=said)


def _faults(
    task: Task,
    candidate: PackagedModel,
    production: PackagedModel,
    tests: pd.DataFrame,
    test_split: str,
) -> list[str]:
    """Return why a comparison would say too little, however it ends."""
    faults = []
    proven = set(json.loads(production.tags.get("corpora", "[]"))) - set(task.embedded_corpora)
    if untested := sorted(proven - set(tests["corpus"])):
        named = ", ".join(untested)
        faults.append(f"the model in production was tested on {named}, this one was not")
    if candidate.tags.get(TEST_SPLIT_TAG) != test_split:
        faults.append(
            "it was made with another test split, so that it may have learnt from these test "
            "samples"
        )
    return faults


def _reason(verdict: Verdict, parameters: PromotionParameters, *, is_known: bool) -> str:
    if is_known:
        return verdict.reason
    if not parameters.promote:
        return f"{verdict.reason}; promotion.promote is false"
    is_forced = parameters.force and not verdict.is_accepted
    return f"{verdict.reason}; forced by promotion.force" if is_forced else verdict.reason
