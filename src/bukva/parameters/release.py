"""From a trained model to the one in production."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from bukva.parameters.group import Count, Group, Positive, Share


class PackagingParameters(Group):
    """From a trained model to the recogniser that serves.

    Attributes:
        opset: ONNX operator set.
        parity_tolerance: Largest difference in probability between torch and ONNX.
        golden_samples_per_symbol: Images kept with the model to test it where it is loaded.
        reference_samples_per_symbol: Validation images that describe what it is used to.
    """

    opset: Annotated[int, Field(ge=18)] = 20
    parity_tolerance: Positive = 1e-4
    golden_samples_per_symbol: Count = 1
    reference_samples_per_symbol: Count = 40


class PromotionParameters(Group):
    """Which model is registered, and when it becomes `prod`.

    Without `version`, `run_id` and `metric` it is the one that was packaged last.

    Attributes:
        version: Number or alias of a version that is registered already.
        run_id: The MLflow run that packaged it.
        metric: The number by which it is the best, such as `all.label_accuracy`.
        experiments: Names of the MLflow experiments that `metric` chooses from; none means all.
        is_lower_better: Whether the lowest `metric` is the best: true for `all.ece`.
        tolerance: Share of the test samples by which it must surely not be worse than the model in
            production.
        promote: Whether to promote at all; false registers a candidate and leaves it at that.
        force: Whether to promote whatever the comparison says.
    """

    version: Annotated[str, Field(coerce_numbers_to_str=True)] | None = None
    run_id: str | None = None
    metric: str | None = None
    experiments: tuple[str, ...] = ()
    is_lower_better: bool = False
    tolerance: Share = 0.01
    promote: bool = True
    force: bool = False

    @model_validator(mode="after")
    def _check_choice(self) -> Self:
        ways = [name for name in ("version", "run_id", "metric") if getattr(self, name) is not None]
        if len(ways) > 1:
            raise ValueError(f"expected one way to choose a model, got {' and '.join(ways)}")
        if self.experiments and self.metric is None:
            raise ValueError("expected a metric to choose by among experiments, got none")
        return self
