"""Measuring a model."""

from bukva.parameters.group import Count, Device, Group


class EvaluationParameters(Group):
    """Measuring a trained model.

    Attributes:
        batch_size: Images at a time.
        mistakes: How many of the worst mistakes are drawn.
        device: `auto` takes CUDA where there is one.
    """

    batch_size: Count = 1024
    mistakes: Count = 60
    device: Device = "auto"
