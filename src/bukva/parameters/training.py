"""What a training stage can be told."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from bukva.parameters.group import Count, Device, Group, Positive, Precision, Share


class AugmentationParameters(Group):
    """Ranges of random variation; every value 0 means none.

    Attributes:
        rotation_deg: Turn, at most, either way.
        scale: Stretch of each axis, as a share.
        slant: Shear of the verticals.
        shift: Move, as a share of half the frame.
        elastic_strength: Standard deviation of the elastic field, as a share of half the frame.
        elastic_nodes: Nodes a side of the elastic field.
        pen_width: How far towards a 3 px dilation or erosion the pen may go.
        ink_softness: How soft (blurred) or hard (steepened) the ink's edges may get.
        ink_gamma: Range of the logarithm of the ink's gamma.
        page_dropout: Share of samples whose size, or position, on the page is forgotten.
        page_lending: Share of symbols without case or page that get the page of another one.
        page_scale: Stretch of the size on the page.
        page_shift: Move on the page, as a share of its side.
    """

    rotation_deg: Annotated[float, Field(ge=0, le=45)] = 12.0
    scale: Annotated[float, Field(ge=0, lt=0.5)] = 0.12
    slant: Annotated[float, Field(ge=0, le=1)] = 0.25
    shift: Share = 0.08
    elastic_strength: Annotated[float, Field(ge=0, le=0.5)] = 0.05
    elastic_nodes: Annotated[int, Field(ge=2, le=28)] = 5
    pen_width: Share = 0.6
    ink_softness: Share = 0.8
    ink_gamma: Annotated[float, Field(ge=0, le=2)] = 0.4
    page_dropout: Share = 0.25
    page_lending: Share = 0.5
    page_scale: Share = 0.04
    page_shift: Share = 0.05


class TrainingParameters(Group):
    """One training stage: `mnist_pretraining` and `finetuning` are two of them.

    Attributes:
        alphabet: What the label head tells apart: the ten digits, or all 43 labels
            and what shows none.
        network: Name of the architecture in `bukva.models`.
        width: Channels of its first stage; later stages are multiples of it.
        dropout: Before the heads.
        corpora: Weight of each corpus in a batch; one that is not named, or has 0, is not used.
        class_balance: 0 draws symbols as often as they occur, 1 all equally often.
        head_epochs: Epochs with the backbone held still, before everything is trained.
        max_epochs: Epochs with everything trained.
        steps_per_epoch: Batches in an epoch, None for as many as the samples fill.
        batch_size: Images in a batch.
        learning_rate: The highest rate of the schedule.
        weight_decay: Of AdamW.
        schedule: `one_cycle`, or `plateau`: divide by ten where validation stands still.
        patience_epochs: Epochs without a better validation loss after which a phase stops early;
            `plateau` lowers the rate when more than half as many have passed.
        label_smoothing: Of the cross-entropy.
        case_loss_weight: Of the binary cross-entropy beside it.
        ema_decay: Of the moving average of the weights, which is what is kept; 0 for none.
        max_gradient_norm: Gradients are scaled down to it.
        augmentation: Random variation of what is trained on.
        device: `auto` takes CUDA where there is one.
        processes: How many share each batch: on CUDA at most one a GPU, else they share the cores.
        precision: `auto` takes bfloat16 where the hardware multiplies it.
        resume: Whether to go on from a checkpoint of the same parameters and data.
        kept_share: Share of the validation symbols that the finished network must not refuse.
        seed: Decides initial weights, order and variation.
    """

    alphabet: Literal["digits", "all"] = "all"
    network: str = "glyph_cnn"
    width: Annotated[int, Field(ge=4, le=128)] = 24
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2
    corpora: dict[str, Annotated[float, Field(ge=0)]] = Field(min_length=1)
    class_balance: Share = 0.5
    head_epochs: Annotated[int, Field(ge=0)] = 0
    max_epochs: Count = 10
    steps_per_epoch: Count | None = None
    batch_size: Annotated[int, Field(ge=2)] = 256
    learning_rate: Positive = 0.006
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    schedule: Literal["one_cycle", "plateau"] = "one_cycle"
    patience_epochs: Count = 12
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.05
    case_loss_weight: Annotated[float, Field(ge=0)] = 0.5
    ema_decay: Annotated[float, Field(ge=0, lt=1)] = 0.99
    max_gradient_norm: Positive = 5.0
    augmentation: AugmentationParameters = AugmentationParameters()
    device: Device = "auto"
    processes: Count = 1
    precision: Precision = "auto"
    resume: bool = True
    kept_share: Annotated[float, Field(gt=0, lt=1)] = 0.999
    seed: int = 1

    @model_validator(mode="after")
    def _gives_each_process_something(self) -> Self:
        if self.processes > self.batch_size:
            message = f"expected processes <= batch_size, got {self.processes} > {self.batch_size}"
            raise ValueError(message)
        return self

    @property
    def learnt_corpora(self) -> list[str]:
        """Names of the corpora that are used: those with a weight."""
        return [corpus for corpus, weight in self.corpora.items() if weight]

    def recipe(self) -> str:
        """Return as JSON what decides the result, whatever it is computed on."""
        return self.model_dump_json(exclude={"resume", "device", "processes"})
