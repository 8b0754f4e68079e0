"""What every parameter group is, and the kinds of number that groups share."""

from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Positive = Annotated[float, Field(gt=0.0)]
Count = Annotated[int, Field(ge=1)]
Device = Literal["auto", "cpu", "cuda"]
Precision = Literal["auto", "float32", "bfloat16"]


class Group(BaseModel):
    """A parameter group: frozen, and an unknown name is an error.

    What YAML takes for a number is text where text is meant: version 1, the folder 2026.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


def flatten(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested values by their dotted names: `{"a": {"b": 1}}` gives `{"a.b": 1}`."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        key = f"{prefix}{name}"
        flat |= flatten(value, f"{key}.") if isinstance(value, dict) else {key: value}
    return flat


def shares_of(weights: Mapping[str, float], used: Collection[str]) -> dict[str, float]:
    """Return which share each weight had, of those that are above 0 and were used."""
    counted = {name: weight for name, weight in weights.items() if weight and name in used}
    total = sum(counted.values())
    return {name: round(weight / total, 4) for name, weight in counted.items()}


def nest(flat: dict[str, Any]) -> dict[str, Any]:
    """Return values by dotted name as nested groups, the inverse of `flatten`."""
    nested: dict[str, Any] = {}
    for name, value in flat.items():
        *groups, field = name.split(".")
        place = nested
        for group in groups:
            if not isinstance(place.get(group), dict):
                place[group] = {}
            place = place[group]
        place[field] = value
    return nested


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
