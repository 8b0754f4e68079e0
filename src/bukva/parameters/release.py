"""From a trained model to the one in production."""

from typing import Annotated

from pydantic import Field

from bukva.parameters.group import Count, Group, Positive


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
    """When a candidate becomes `prod`.

    Attributes:
        force: Whether to promote whatever the verdict of `evaluation` says.
    """

    force: bool = False
