"""What the task can be told."""

from typing import Annotated, Literal

from pydantic import Field

from bukva.core.parameters import Count, Group, PromotionParameters, Share
from bukva.core.training.parameters import FitParameters

Name = Literal["mlp", "lenet", "cnn"]


class DataParameters(Group):
    """What `character.data_processing` reads, and how it deals it out.

    Attributes:
        corpora: Names in `corpora.yml`; none means the digits of scikit-learn.
        valid_share: Of the samples.
        test_share: Of the samples.
        seed: Decides the split.
    """

    corpora: tuple[str, ...] = ()
    valid_share: Share = 0.05
    test_share: Share = 0.15
    seed: int = 1


class TrainingParameters(FitParameters):
    """How `character.training` trains.

    Attributes:
        network: Name in `bukva.tasks.character.networks`.
        width: Of its layers.
        dropout: Before the last layer.
        max_epochs: At most so many.
        label_smoothing: Of the cross-entropy.
        rotation_deg: Turn of what is trained on, at most, either way.
        scale: Stretch of each axis, as a share.
        slant: Shear of the verticals.
        shift: Move, as a share of half the frame.
    """

    network: Name = "cnn"
    width: Annotated[int, Field(ge=2, le=512)] = 24
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2
    max_epochs: Count = 10
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.05
    rotation_deg: Annotated[float, Field(ge=0, le=45)] = 8.0
    scale: Annotated[float, Field(ge=0, lt=0.5)] = 0.1
    slant: Annotated[float, Field(ge=0, le=1)] = 0.15
    shift: Share = 0.06


class EvaluationParameters(Group):
    """What `character.evaluation` puts beside the network.

    Attributes:
        others: Networks, by name, and their widths.
        other_epochs: Of each of them.
        tree_depth: Of the decision tree.
        latency_calls: Single images that are timed.
    """

    others: dict[Name, int] = Field(default_factory=dict)
    other_epochs: Count = 3
    tree_depth: Count = 14
    latency_calls: Count = 300


class CharacterParameters(Group):
    """All of the task."""

    data_processing: DataParameters = DataParameters()
    training: TrainingParameters = TrainingParameters()
    evaluation: EvaluationParameters = EvaluationParameters()
    promotion: PromotionParameters = PromotionParameters()
