"""What the benchmark measures, and at what expense."""

from typing import Annotated

from pydantic import Field

from bukva.core.parameters import Count, Group, Positive


class BenchmarkParameters(Group):
    """The parts of the benchmark that train or draw something of their own.

    Attributes:
        corpus: The corpus that is cross-validated; the base model must never have seen it.
        folds: Of the cross-validation.
        repeats: Times that the stratified folds are drawn anew; the blocks can be cut one way only.
        fold_epochs: Epochs of a fold, from the base model on.
        fold_learning_rate: Highest rate of a fold: the weights are good already.
        left_out: Corpora to train without, one after the other, and to test on.
        left_out_epochs: Epochs of such a training, from the pretrained backbone on.
        mnist_seeds: Seeds with which `mnist_pretraining` is trained again.
        page_digits: How many digits of the MNIST test are drawn large.
        latency_images: How many images are timed.
        seed: Decides the folds and the drawings.
    """

    corpus: str
    folds: Annotated[int, Field(ge=2)] = 5
    repeats: Count = 2
    fold_epochs: Count = 6
    fold_learning_rate: Positive = 0.002
    left_out: tuple[str, ...] = ()
    left_out_epochs: Count = 12
    mnist_seeds: Annotated[tuple[int, ...], Field(min_length=2)] = (1, 2, 3, 4, 5)
    page_digits: Count = 10_000
    latency_images: Count = 300
    seed: int = 1
