"""Which of the packaged models is the candidate."""

import logging
from collections.abc import Mapping, Sequence
from itertools import islice

from bukva.errors import RegistryError
from bukva.model_registry.models import PackagedModel
from bukva.parameters import PromotionParameters
from bukva.seal import DIGEST_TAG

_logger = logging.getLogger(__name__)

_PACKAGE = "Run: kedro run --pipeline=packaging"


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
