"""What the task can be told."""

from typing import Annotated, Literal

from pydantic import Field

from bukva.core.parameters import Count, Group, PromotionParameters, Share
from bukva.core.training.parameters import FitParameters

Name = Literal["strides", "mobilenet_v2"]


class DataParameters(Group):
    """What `document.data_processing` reads, and how it deals it out.

    Attributes:
        corpora: Names in `corpora.yml`; none means drawn lines alone.
        drawn_lines: How many lines are set in fonts, half of them printed.
        subset_fraction: Of the groups of each corpus, for quick runs.
        most_lines: Of each corpus, spread over its groups.
        valid_share: Of the groups.
        test_share: Of the groups.
        unseen_strings: By corpus, which share of its printed strings is tested on and never
            learnt: where a form's headings come again on each page, a network could read them.
        height: Of a line, in pixels.
        width: Of what the network sees at once, in pixels.
        seed: Decides drawings and splits.
    """

    corpora: tuple[str, ...] = ()
    drawn_lines: Annotated[int, Field(ge=0)] = 3000
    subset_fraction: Annotated[float, Field(gt=0, le=1)] = 1.0
    most_lines: dict[str, Count] = Field(default_factory=dict)
    valid_share: Share = 0.12
    test_share: Share = 0.25
    unseen_strings: dict[str, Share] = Field(default_factory=dict)
    height: Annotated[int, Field(ge=32, multiple_of=32)] = 64
    width: Annotated[int, Field(ge=64, multiple_of=32)] = 512
    seed: int = 1


class VariationParameters(Group):
    """How what is trained on is varied, whichever of the two it is.

    Attributes:
        window: Width of what is cut out of a line, in pixels: training is faster by it.
        rotation_deg: Turn, either way.
        scale: Stretch of each axis, as a share.
        slant: Shear of the verticals, as a share of half the window.
        shift: Move, as a share of half the window.
        thickness: How much of a pixel strokes grow or shrink on either side.
        coarseness: By how much the resolution is lowered, at most.
        noise: Standard deviation of what is added.
        rules: Share of the pictures that are ruled.
    """

    window: Annotated[int, Field(ge=32, multiple_of=32)] = 256
    rotation_deg: Annotated[float, Field(ge=0, le=20)] = 3.0
    scale: Annotated[float, Field(ge=0, lt=0.5)] = 0.25
    slant: Annotated[float, Field(ge=0, le=0.5)] = 0.06
    shift: Share = 0.08
    thickness: Share = 0.9
    coarseness: Annotated[float, Field(ge=1, le=4)] = 2.5
    noise: Share = 0.12
    rules: Share = 0.2


class TrainingParameters(FitParameters):
    """How `document.training` trains.

    Attributes:
        network: Name in `bukva.tasks.document.networks`.
        width: Of its first layer; MobileNetV2 is as wide as it is.
        dropout: Before the head.
        max_epochs: At most so many.
        label_smoothing: Of the cross-entropy.
        variation: Of what is trained on.
    """

    network: Name = "strides"
    width: Annotated[int, Field(ge=2, le=64)] = 12
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2
    max_epochs: Count = 8
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.05
    batch_size: Annotated[int, Field(ge=2)] = 64
    learning_rate: Annotated[float, Field(gt=0)] = 0.004
    variation: VariationParameters = VariationParameters()


class TransferParameters(Group):
    """How MobileNetV2 is taught, from features of ImageNet.

    Attributes:
        weights: File in the folder of corpora; empty for random weights.
        copies: Varied pictures of each line whose features are kept.
        most_lines: That are learnt from, spread over corpora and labels.
        head_epochs: Of the new head, on kept features.
        tuned_blocks: Last blocks that are trained on, too; 0 for none.
        tuned_epochs: Of these.
        head_learning_rate: Of Adam, lowered where validation stands still.
        tuned_learning_rate: The same.
        enlarge: How much larger lines come in: 2 is 128 x 1024.
    """

    weights: str = ""
    copies: Count = 2
    most_lines: Count = 4000
    head_epochs: Count = 40
    tuned_blocks: Annotated[int, Field(ge=0, le=18)] = 0
    tuned_epochs: Annotated[int, Field(ge=0)] = 1
    head_learning_rate: Annotated[float, Field(gt=0)] = 0.001
    tuned_learning_rate: Annotated[float, Field(gt=0)] = 0.0003
    enlarge: Annotated[int, Field(ge=1, le=4)] = 1


class EvaluationParameters(Group):
    """What `document.evaluation` measures beside the test split.

    Attributes:
        left_out: Sources that a network is trained without, each, to be tested on.
        left_out_epochs: Of each of these.
        controls: Test lines of which paper alone is shown.
        latency_calls: Single pictures that are timed.
        resamples: Of groups, for intervals.
        transfer: How MobileNetV2 is taught, for the table; None leaves it out.
    """

    left_out: tuple[str, ...] = ()
    left_out_epochs: Count = 4
    controls: Count = 400
    latency_calls: Count = 200
    resamples: Count = 1000
    transfer: TransferParameters | None = None


class DocumentParameters(Group):
    """All of the task."""

    data_processing: DataParameters = DataParameters()
    training: TrainingParameters = TrainingParameters()
    evaluation: EvaluationParameters = EvaluationParameters()
    promotion: PromotionParameters = PromotionParameters()
