"""All groups of parameters, of all tasks, checked at once before any node runs.

Kedro builds the groups from the annotations of the nodes. An unknown name is an error everywhere.
"""

from typing import Any, get_args

from pydantic import ValidationError

from bukva.core.parameters import Group, PromotionParameters
from bukva.errors import ParameterError
from bukva.tasks.character.parameters import CharacterParameters
from bukva.tasks.document.parameters import DocumentParameters
from bukva.tasks.glyph.parameters import (
    BatchInferenceParameters,
    DataProcessingParameters,
    EmbeddedParameters,
    EvaluationParameters,
    FeedbackIngestionParameters,
    PackagingParameters,
    TrainingParameters,
    TuningParameters,
)
from bukva.tasks.line.training_parameters import LineParameters


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
    batch_inference: BatchInferenceParameters
    character: CharacterParameters
    document: DocumentParameters
    line: LineParameters


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


def is_text(name: str) -> bool:
    """Return whether the parameter of this dotted name holds text."""
    annotation: Any = Parameters
    for part in name.split("."):
        fields = getattr(annotation, "model_fields", {})
        if part not in fields:
            return False
        annotation = fields[part].annotation
    return str in (annotation, *get_args(annotation))


def describe_fault(fault: Any) -> str:
    """Return one fault that pydantic found as a line: where, what was expected, what came."""
    where = ".".join(str(part) for part in fault["loc"])
    got = "" if fault["type"] == "missing" else f", got {fault['input']!r}"
    return f"  - {where}: {fault['msg']}{got}"
