"""What training, evaluation and promotion of the task can be told."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from bukva.core.parameters import Count, Group, PromotionParameters, Share
from bukva.core.training.parameters import FitParameters
from bukva.tasks.line.parameters import DataParameters

Range = tuple[float, float]


class VariationParameters(Group):
    """How lines are varied while a network learns.

    Attributes:
        width: Stretch along the line, at least and at most.
        height: Stretch across it.
        slant: Shear of the verticals, either way.
        rotation_deg: Turn, either way.
        elastic_px: Standard deviation by which places on the line are moved.
        thickness: How much of a pixel strokes grow or shrink on either side.
        gamma: Natural logarithm of the largest exponent of the ink.
        noise: Largest standard deviation of what is added.
    """

    width: Range = (0.75, 1.25)
    height: Range = (0.9, 1.1)
    slant: Annotated[float, Field(ge=0, le=1)] = 0.25
    rotation_deg: Annotated[float, Field(ge=0, le=10)] = 1.0
    elastic_px: Annotated[float, Field(ge=0, le=6)] = 0.8
    thickness: Share = 0.8
    gamma: Annotated[float, Field(ge=0, le=2)] = 0.5
    noise: Share = 0.08


class LanguageModelParameters(Group):
    """What is counted of texts, so that likely ones are preferred.

    Attributes:
        order: Characters of the longest run that is counted.
        least_count: Runs that came less often are left out, but for the shortest.
    """

    order: Annotated[int, Field(ge=1, le=7)] = 6
    least_count: Count = 2


class DecodingParameters(Group):
    """How a text is found among all that a network holds possible.

    Attributes:
        beam: Texts that are followed at the same time; 1 takes the likeliest of each time step.
        weights: Of the language model, tried on the validation split; the best one is kept.
        bonuses: For each character, in nats, tried with them.
        tried_lines: Of the validation split.
    """

    beam: Count = 12
    weights: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75)
    bonuses: tuple[float, ...] = (0.0, 0.5, 1.0)
    tried_lines: Count = 150


class TrainingParameters(FitParameters):
    """How `line.training` trains.

    Attributes:
        width: Channels of the network's first layer.
        hidden: Units of its recurrent layers, in each direction.
        dropout: Before and behind them.
        shortcut: Weight of the loss of the head that reads the columns directly.
        max_epochs: At most so many.
        synthetic: Share of the lines that are made anew for an epoch, in the first and in the last.
        most_valid_lines: That are looked at after each epoch.
        variation: Of all lines that are learnt from.
        decoding: Of the recogniser.
    """

    width: Annotated[int, Field(ge=2, le=64)] = 32
    hidden: Annotated[int, Field(ge=2, le=512)] = 128
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    shortcut: Annotated[float, Field(ge=0, le=1)] = 0.1
    max_epochs: Count = 20
    synthetic: tuple[Share, Share] = (0.7, 0.3)
    most_valid_lines: Count = 800
    batch_size: Annotated[int, Field(ge=2)] = 24
    learning_rate: Annotated[float, Field(gt=0)] = 0.002
    variation: VariationParameters = VariationParameters()
    decoding: DecodingParameters = DecodingParameters()


class ClassicParameters(FitParameters):
    """How the classic network without CTC is trained, to be compared.

    Attributes:
        collection: Of made test lines: `fonts`, or `emnist_lines`; what it learns from is made
            likewise.
        lines: To learn from, made once.
        width: Channels of its first layer.
        hidden: Units of its recurrent layers, in each direction.
        max_epochs: At most so many.
    """

    collection: str = "fonts"
    lines: Count = 8000
    width: Annotated[int, Field(ge=2, le=64)] = 16
    hidden: Annotated[int, Field(ge=2, le=512)] = 128
    max_epochs: Count = 8
    batch_size: Annotated[int, Field(ge=2)] = 32
    learning_rate: Annotated[float, Field(gt=0)] = 0.003


class EvaluationParameters(Group):
    """What `line.evaluation` measures.

    Attributes:
        resamples: Of groups, for intervals.
        nothing: Lines that say nothing, made anew: how many give no text.
        worst: Lines in the figure of the worst, and of the usual ones.
        confusions: Rows of the table of confusions.
        latency_calls: Single lines that are timed.
        classic: The network without CTC that stands beside it; None leaves it out.
    """

    resamples: Count = 1000
    nothing: Count = 200
    worst: Count = 12
    confusions: Count = 60
    latency_calls: Count = 100
    classic: ClassicParameters | None = None


class AdaptationParameters(Group):
    """How `line.adaptation` teaches a model lines of one's own.

    Attributes:
        source: Folder of the lines, or its address; the catalog reads it, as it does the next two.
        model: The recogniser that is gone on from, an ONNX file.
        weights: Of the same network, a safetensors file.
        least_lines: Fewer that can be used are refused.
        most_lines: That are learnt from; further ones are left out.
        valid_share: Of the own lines, which decide which epoch is kept.
        test_share: Of the own lines, which are read before and after.
        own_share: Of the lines that are learnt from, how many are own ones.
        made_share: How many are made, where lines of the former training are there; else all but
            the own ones.
        known_lines: Of the former training, at most so many are learnt again.
        passes: How often each own line is seen in an epoch, where `training` says nothing of steps.
        measured_lines: Of the former tests, read before and after: what was forgotten.
        training: How it is trained; `width`, `hidden`, `dropout` and `synthetic` are not heeded.
    """

    source: str = ""
    model: str = ""
    weights: str = ""
    least_lines: Count = 16
    most_lines: Count = 256
    valid_share: Annotated[float, Field(gt=0, lt=0.5)] = 0.15
    test_share: Annotated[float, Field(gt=0, lt=0.5)] = 0.2
    own_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    made_share: Share = 0.2
    known_lines: Count = 3000
    passes: Count = 4
    measured_lines: Count = 200
    training: TrainingParameters = TrainingParameters()

    @model_validator(mode="after")
    def _shares_fit(self) -> Self:
        if self.own_share + self.made_share > 1:
            message = (
                f"expected own_share + made_share <= 1, got {self.own_share + self.made_share}"
            )
            raise ValueError(message)
        return self


class LineParameters(Group):
    """All of the task."""

    data_processing: DataParameters = DataParameters()
    language_model: LanguageModelParameters = LanguageModelParameters()
    training: TrainingParameters = TrainingParameters()
    adaptation: AdaptationParameters = AdaptationParameters()
    evaluation: EvaluationParameters = EvaluationParameters()
    promotion: PromotionParameters = PromotionParameters()
