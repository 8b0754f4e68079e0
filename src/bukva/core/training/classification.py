"""What a network learns that puts each image into one of several classes.

Shapes: B images in a batch, N samples, H x W pixels, K classes.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from bukva.core.arrays import Float32Array, UInt8Array
from bukva.core.parameters import Precision
from bukva.core.samples import Split, of_split
from bukva.core.training.device import autocast
from bukva.core.training.optimisation import Phase
from bukva.errors import TrainingError

_AT_ONCE = 1024


@dataclass(frozen=True)
class ClassSamples:
    """Images, ink high on zero, and the indices of their classes."""

    images_NHW: UInt8Array
    classes_N: NDArray[np.int64]

    @classmethod
    def select(
        cls, table: pd.DataFrame, images_NHW: UInt8Array, split: Split, labels: Sequence[str]
    ) -> Self:
        """Return the samples of a split, their classes in the order of the labels."""
        rows, chosen_NHW = of_split(table, images_NHW, split)
        classes_N = pd.Index(labels).get_indexer(pd.Index(rows["label"]))
        return cls(chosen_NHW, classes_N.astype(np.int64))

    def digest(self) -> str:
        """Return a sha256 over both."""
        digest = hashlib.sha256(np.ascontiguousarray(self.images_NHW).tobytes())
        digest.update(self.classes_N.tobytes())
        return digest.hexdigest()


class ClassLearner:
    """Teaches a network to tell classes apart; for `bukva.core.training.fit`.

    Args:
        train: What is learnt from.
        valid: What decides which epoch is kept and when to stop early.
        vary: Returns images `(B, 1, H, W)`, ink 0..1, varied at random.
        epochs: At most so many.
        label_smoothing: Share of the target spread over all classes.
        precision: Of the network's arithmetic in training.

    Raises:
        TrainingError: If there is nothing to train or validate on.
    """

    def __init__(
        self,
        train: ClassSamples,
        valid: ClassSamples,
        vary: Callable[[Tensor, torch.Generator], Tensor],
        *,
        epochs: int,
        label_smoothing: float,
        precision: Precision,
    ) -> None:
        if not len(train.classes_N) or not len(valid.classes_N):
            got = f"{len(train.classes_N)} and {len(valid.classes_N)}"
            raise TrainingError(f"Expected samples to train and validate on, got {got}.")
        self.phases: Sequence[Phase] = (Phase("all", epochs),)
        self.chances_N = np.ones(len(train.classes_N))
        self._train, self._valid, self._vary = train, valid, vary
        self._label_smoothing, self._precision = label_smoothing, precision

    def digests(self) -> tuple[str, ...]:
        """Return a sha256 of each split."""
        return self._train.digest(), self._valid.digest()

    def to(self, device: torch.device) -> None:
        """Move the samples to a device, all at once."""
        self._device = device
        self._images_NHW = torch.tensor(self._train.images_NHW, device=device)
        self._classes_N = torch.tensor(self._train.classes_N, device=device)

    def loss(self, network: nn.Module, chosen_B: Tensor, generator: torch.Generator) -> Tensor:
        """Return the mean cross-entropy over some samples, each varied at random, in nats."""
        images_B1HW = self._vary(to_ink(self._images_NHW[chosen_B]), generator)
        with autocast(self._device, self._precision):
            logits_BK = network(images_B1HW)
        return functional.cross_entropy(
            logits_BK.float(), self._classes_N[chosen_B], label_smoothing=self._label_smoothing
        )

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Return loss and accuracy on the validation samples."""
        logits_NK = torch.from_numpy(predict_logits(network, self._valid.images_NHW))
        classes_N = torch.from_numpy(self._valid.classes_N)
        return {
            "valid_loss": float(functional.cross_entropy(logits_NK, classes_N)),
            "valid_accuracy": float((logits_NK.argmax(dim=1) == classes_N).float().mean()),
        }


@torch.inference_mode()
def predict_logits(network: nn.Module, images_NHW: UInt8Array) -> Float32Array:
    """Return the logits `(N, K)` of a network, in evaluation mode, where it lies."""
    device = next(network.parameters()).device
    network.eval()
    parts = [
        network(to_ink(torch.tensor(images_NHW[start : start + _AT_ONCE], device=device)))
        for start in range(0, len(images_NHW), _AT_ONCE)
    ]
    logits_NK: Float32Array = torch.cat(parts).float().cpu().numpy()
    return logits_NK


def to_ink(images_NHW: Tensor) -> Tensor:
    """Return uint8 images as ink 0..1 with a channel, laid out as convolutions like it best."""
    images_N1HW = images_NHW.unsqueeze(1).float().div_(255.0)
    return images_N1HW.contiguous(memory_format=torch.channels_last)
