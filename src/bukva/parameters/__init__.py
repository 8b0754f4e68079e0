"""Typed parameter groups: each class is one group of `conf/*/parameters_*.yml`.

Kedro builds them from the annotations of the nodes; `Parameters` checks all groups at once, before
any node runs. An unknown name is an error everywhere.
"""

from typing import Any

from pydantic import ValidationError

from bukva.errors import ParameterError
from bukva.parameters.batch import BatchInferenceParameters
from bukva.parameters.benchmark import BenchmarkParameters
from bukva.parameters.comparison import ComparedNetwork, NetworkComparisonParameters
from bukva.parameters.data import DataProcessingParameters, EmbeddedParameters
from bukva.parameters.evaluation import EvaluationParameters
from bukva.parameters.feedback import FeedbackIngestionParameters
from bukva.parameters.group import Device, Group, Precision, flatten
from bukva.parameters.release import PackagingParameters, PromotionParameters
from bukva.parameters.training import AugmentationParameters, TrainingParameters
from bukva.parameters.tuning import PrunerParameters, SearchedParameter, TuningParameters

__all__ = [
    "AugmentationParameters",
    "BatchInferenceParameters",
    "BenchmarkParameters",
    "ComparedNetwork",
    "DataProcessingParameters",
    "Device",
    "EmbeddedParameters",
    "EvaluationParameters",
    "FeedbackIngestionParameters",
    "NetworkComparisonParameters",
    "PackagingParameters",
    "Parameters",
    "Precision",
    "PromotionParameters",
    "PrunerParameters",
    "SearchedParameter",
    "TrainingParameters",
    "TuningParameters",
    "describe_fault",
    "flatten",
    "validate_parameters",
]


class Parameters(Group):
    """All groups, as `conf/<env>/parameters_*.yml` spell them."""

    embedded: EmbeddedParameters
    data_processing: DataProcessingParameters
    feedback_ingestion: FeedbackIngestionParameters
    mnist_pretraining: TrainingParameters
    finetuning: TrainingParameters
    tuning: TuningParameters
    evaluation: EvaluationParameters
    packaging: PackagingParameters
    promotion: PromotionParameters
    network_comparison: NetworkComparisonParameters
    batch_inference: BatchInferenceParameters
    benchmark: BenchmarkParameters


def validate_parameters(parameters: dict[str, Any]) -> Parameters:
    """Build all parameter groups, or report every bad value at once.

    Raises:
        ParameterError: If anything is missing, unknown or out of range; lists all of it.
    """
    try:
        return Parameters.model_validate(parameters)
    except ValidationError as error:
        faults = "\n".join(describe_fault(fault) for fault in error.errors())
        message = (
            f"{error.error_count()} bad parameters (conf/*/parameters_*.yml, --params):\n{faults}"
        )
        raise ParameterError(message) from error


def describe_fault(fault: Any) -> str:
    """Return one fault that pydantic found as a line: where, what was expected, what came."""
    where = ".".join(str(part) for part in fault["loc"])
    got = "" if fault["type"] == "missing" else f", got {fault['input']!r}"
    return f"  - {where}: {fault['msg']}{got}"
