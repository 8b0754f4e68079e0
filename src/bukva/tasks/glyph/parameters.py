"""Typed parameter groups of the task: each class is one group of `conf/*/parameters_*.yml`."""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    field_validator,
    model_serializer,
    model_validator,
)

from bukva.core.parameters import Count, Device, Group, Positive, Share, nest
from bukva.core.training.parameters import FitParameters
from bukva.core.tuning import parameters as core
from bukva.core.tuning.parameters import SearchedParameter


def _none_or_some_for_each_split(count: int) -> int:
    if 0 < count < 3:
        raise ValueError("expected 0, or 3 and more: one at least for each split")
    return count


class EmbeddedParameters(Group):
    """The embedded corpora, which need no download.

    Attributes:
        samples_per_symbol: Drawings of each of the 76 symbols by the stroke alphabet; 0 for none.
        font_samples_per_symbol: Pages of each of them by handwriting fonts; 0 for none.
        with_digits: Whether the digits of scikit-learn stand in for MNIST.
        seed: Decides every drawing.
    """

    samples_per_symbol: Annotated[int, Field(ge=0)]
    font_samples_per_symbol: Annotated[int, Field(ge=0)] = 0
    with_digits: bool
    seed: int


class DataProcessingParameters(Group):
    """From raw corpora to the sample table.

    Attributes:
        max_corrupt_share: More unreadable images of a corpus than this stop the run.
        duplicate_cosine: Likeness (cosine of pixels) from which two images are near duplicates.
        valid_share: Share of what may be trained on that is kept for validation.
        test_share: Share kept for tests where a corpus brings no test set of its own.
        seed: Decides the splits.
        corpora: Corpora that are read beside the embedded ones: those of the manifest that
            globals.yml names, and `feedback`.
        unseen: Corpora that are tested on only, with every sample, whatever weight training gives
            them.
        nonsymbols_per_kind: Pages of each kind that show no symbol, over all splits; 0 for none,
            else three or more.
        photographs_per_symbol: Samples of each symbol and case that are set on paper and
            photographed by a program; 0 for none.
    """

    max_corrupt_share: Share
    duplicate_cosine: Annotated[float, Field(gt=0.9, le=1.0)]
    valid_share: Annotated[float, Field(gt=0.0, lt=0.5)]
    test_share: Annotated[float, Field(gt=0.0, lt=0.5)]
    seed: int
    corpora: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    nonsymbols_per_kind: Annotated[int, Field(ge=0), AfterValidator(_none_or_some_for_each_split)]
    photographs_per_symbol: Annotated[int, Field(ge=0)] = 0


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


class TrainingParameters(FitParameters):
    """One training stage: `mnist_pretraining` and `finetuning` are two of them.

    Attributes:
        alphabet: What the label head tells apart: the ten digits, or all 43 labels
            and what shows none.
        network: Name of the architecture in `bukva.tasks.glyph.networks`.
        width: Channels of its first stage; later stages are multiples of it.
        dropout: Before the heads.
        corpora: Weight of each corpus in a batch; one that is not named, or has 0, is not used.
        class_balance: 0 draws symbols as often as they occur, 1 all equally often.
        start: Whether to start from the backbone of the pretrained network, or to go on from all of
            the released model, whatever `network`, `width` and `dropout` say.
        released_share: Of the weights that come out, how much is the released model's own, where
            that is gone on from.
        head_epochs: Epochs with the backbone held still, before everything is trained.
        max_epochs: Epochs with everything trained.
        label_smoothing: Of the cross-entropy.
        case_loss_weight: Of the binary cross-entropy beside it.
        augmentation: Random variation of what is trained on.
        kept_share: Share of the validation symbols that the finished network must not refuse.
    """

    alphabet: Literal["digits", "all"] = "all"
    network: str = "glyph_cnn"
    width: Annotated[int, Field(ge=4, le=128)] = 24
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2
    corpora: dict[str, Annotated[float, Field(ge=0)]] = Field(min_length=1)
    class_balance: Share = 0.5
    start: Literal["pretrained", "released"] = "pretrained"
    released_share: Annotated[float, Field(ge=0, lt=1)] = 0.0
    head_epochs: Annotated[int, Field(ge=0)] = 0
    max_epochs: Count = 10
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.05
    case_loss_weight: Annotated[float, Field(ge=0)] = 0.5
    augmentation: AugmentationParameters = AugmentationParameters()
    kept_share: Annotated[float, Field(gt=0, lt=1)] = 0.999

    @model_serializer(mode="wrap")
    def _in_order(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Keep one order of the fields: checkpoints and studies know a recipe by its digest."""
        values: dict[str, Any] = serialise(self)
        if self.start == "pretrained":
            # Studies from before know of no other.
            values = {name: values[name] for name in values.keys() - {"start", "released_share"}}
        return {name: values[name] for name in _ORDER if name in values}

    @property
    def learnt_corpora(self) -> list[str]:
        """Names of the corpora that are used: those with a weight."""
        return [corpus for corpus, weight in self.corpora.items() if weight]


_ORDER: Final = (
    "alphabet", "network", "width", "dropout", "corpora", "class_balance", "start",
    "released_share", "head_epochs", "max_epochs", "steps_per_epoch", "batch_size",
    "learning_rate", "weight_decay", "schedule",
    "patience_epochs", "label_smoothing", "case_loss_weight", "ema_decay", "max_gradient_norm",
    "augmentation", "device", "processes", "precision", "resume", "kept_share", "seed",
)  # fmt: skip


# A trial with less of them has a lower loss and is no better.
_PARTS_OF_THE_LOSS: Final = ("label_smoothing", "case_loss_weight")


class TuningParameters(core.TuningParameters):
    """A search around the group `finetuning`; the values of its ranges must be legal there."""

    measure: Literal["valid_loss", "valid_label_accuracy", "valid_case_accuracy"] = "valid_loss"

    @field_validator("space")
    @classmethod
    def _fits_the_training(
        cls, space: dict[str, SearchedParameter]
    ) -> dict[str, SearchedParameter]:
        faults = [fault for name, item in space.items() for fault in _find_faults(name, item)]
        if faults:
            raise ValueError("; ".join(faults))
        return space

    @model_validator(mode="after")
    def _leaves_the_measure_as_it_is(self) -> Self:
        changed = [name for name in _PARTS_OF_THE_LOSS if name in self.space]
        if self.measure == "valid_loss" and changed:
            raise ValueError(
                f"expected a measure that {changed} leave as it is, got valid_loss: take "
                "valid_label_accuracy, or leave them out of the space"
            )
        return self


def _find_faults(name: str, item: SearchedParameter) -> list[str]:
    """Return what the group `finetuning` would say to the ends of a range."""
    faults: list[str] = []
    for end in item.ends:
        try:
            TrainingParameters.model_validate({"corpora": {"any": 1.0}} | nest({name: end}))
        except ValidationError as error:
            faults += [f"{name}: {fault['msg']}, got {end!r}" for fault in error.errors()]
    return faults


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


class ConditionsParameters(Group):
    """Letters that are measured under conditions of paper and camera.

    Attributes:
        samples: How many letters at most.
        seed: Decides the letters and the pictures.
    """

    samples: Count = 40
    seed: Annotated[int, Field(ge=0)] = 1


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
        conditions: Which letters are measured as on paper and in photographs.
    """

    batch_size: Count = 1024
    mistakes: Count = 60
    explained_mistakes: Count = 15
    device: Device = "auto"
    resamples: Annotated[int, Field(ge=20)] = 1000
    kept_share: Annotated[float, Field(gt=0, lt=1)] = 0.95
    robustness: RobustnessParameters = RobustnessParameters()
    conditions: ConditionsParameters = ConditionsParameters()


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


class FeedbackIngestionParameters(Group):
    """From stored corrections to the corpus `feedback`.

    Attributes:
        duplicate_cosine: Likeness (cosine of pixels) from which a drawing counts as a copy.
        disagreement: Probability from which the model's reading of a drawing, if it is not the
            person's, sets it aside for review.
        client_share: Largest share of the drawings, before this cap, that one client may have
            given; more are left out.
        client_count: So many may be of one client in any case. Corrections of unknown clients
            count as those of one.
        weight_per_sample: Weight in a batch of `finetuning` that each drawing brings the corpus,
            where the environment gives it none: half of what one of rukopys has.
        max_weight: The most that all of them bring.
    """

    duplicate_cosine: Annotated[float, Field(gt=0.9, le=1.0)] = 0.985
    disagreement: Annotated[float, Field(gt=0.5, le=1.0)] = 0.9
    client_share: Share = 0.01
    client_count: Count = 20
    weight_per_sample: Positive = 0.0001
    max_weight: Positive = 0.1


class BatchInferenceParameters(Group):
    """From many images to a table of predictions.

    The catalog reads the first three as well.

    Attributes:
        images: Folder, prefix or file: image files, Parquet files with a column `image`, or `.npy`
            files of uint8 `(N, H, W)`.
        results: Folder or prefix for the predictions of these images by this model, and no others.
        model: A version or alias in the registry; `local` for what `packaging` left.
        source: `drawing` or `photo`, where that is known of all images; else each decides.
        chunk_images: How many images are read, answered and written at once. Memory grows with it,
            and so does the work that a kill costs.
        engine: `local` is this process; `ray` is as many as `ray_workers`.
        ray_address: Of a cluster that runs; none to start one on this machine.
        ray_workers: Recognisers, each a process with one core; none for all cores but one.
    """

    images: Annotated[str, Field(min_length=1)]
    results: Annotated[str, Field(min_length=1)]
    model: Annotated[str, Field(min_length=1)]
    source: Literal["drawing", "photo"] | None = None
    chunk_images: Count = 10_000
    engine: Literal["local", "ray"] = "local"
    ray_address: str | None = None
    ray_workers: Count | None = None
