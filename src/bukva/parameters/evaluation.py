"""Measuring a model."""

from typing import Annotated, Final, Literal

from pydantic import Field

from bukva.parameters.group import Count, Device, Group, Positive

ShiftName = Literal[
    "rotation_deg", "thinner_pen_px", "thicker_pen_px", "noise", "jpeg_quality", "inverted_contrast"
]

_STRENGTHS: Final[dict[ShiftName, tuple[float, ...]]] = {
    "rotation_deg": (10, 20, 30),
    "thinner_pen_px": (1, 2, 3),
    "thicker_pen_px": (2, 4, 6),
    "noise": (10, 25, 50),
    "jpeg_quality": (50, 20, 5),
    "inverted_contrast": (1, 0.5, 0.2),
}


class RobustnessParameters(Group):
    """How the test samples are disturbed.

    Attributes:
        samples: How many at most, the same number of each corpus as far as there are so many.
        strengths: By what may happen to a page: turns; pens thinner or thicker on either side of
            the line, in pixels where the symbol has 80; noise, its standard deviation in grey
            levels; JPEG files by quality; light ink on black, by its tone as a share of white.
        seed: Decides the samples and the disturbances.
    """

    samples: Count = 2000
    strengths: dict[ShiftName, tuple[Positive, ...]] = _STRENGTHS
    seed: int = 1


class EvaluationParameters(Group):
    """Measuring a trained model.

    Attributes:
        batch_size: Images at a time.
        mistakes: How many of the worst mistakes are drawn.
        explained_mistakes: How many of them beside what they rest on.
        device: `auto` takes CUDA where there is one.
        kept_share: Share of the validation symbols that the measured refusal has to keep.
        resamples: How often the samples are drawn anew for a bootstrapped interval.
        robustness: How the test samples are disturbed.
    """

    batch_size: Count = 1024
    mistakes: Count = 60
    explained_mistakes: Count = 15
    device: Device = "auto"
    resamples: Annotated[int, Field(ge=20)] = 1000
    kept_share: Annotated[float, Field(gt=0, lt=1)] = 0.95
    robustness: RobustnessParameters = RobustnessParameters()
