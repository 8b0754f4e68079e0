"""Measuring a model."""

from typing import Annotated

from pydantic import Field

from bukva.parameters.group import Count, Device, Group, Share


class EvaluationParameters(Group):
    """Measuring a trained model.

    Attributes:
        batch_size: Images at a time.
        mistakes: How many of the worst mistakes are drawn.
        device: `auto` takes CUDA where there is one.
        resamples: How often the samples are drawn anew for a bootstrapped interval.
        tolerance: Share of the test samples by which a candidate for production must surely not be
            worse than the model that is there.
    """

    batch_size: Count = 1024
    mistakes: Count = 60
    device: Device = "auto"
    resamples: Annotated[int, Field(ge=20)] = 1000
    tolerance: Share = 0.01
