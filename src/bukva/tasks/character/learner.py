"""What a network learns of characters, and how it answers.

Shapes: B images in a batch, N samples, H x W pixels, K classes.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from bukva.core.arrays import Float32Array, UInt8Array
from bukva.core.training.device import autocast
from bukva.core.training.optimisation import Phase
from bukva.errors import TrainingError
from bukva.tasks.character.parameters import TrainingParameters


@dataclass(frozen=True)
class Samples:
    """Images, ink high on zero, and the indices of their classes."""

    images_NHW: UInt8Array
    labels_N: NDArray[np.int64]

    def digest(self) -> str:
        """Return a sha256 over both."""
        digest = hashlib.sha256(np.ascontiguousarray(self.images_NHW).tobytes())
        digest.update(self.labels_N.tobytes())
        return digest.hexdigest()


class CharacterLearner:
    """Teaches a network to tell characters apart; for `bukva.core.training.fit`.

    Raises:
        TrainingError: If there is nothing to train or validate on.
    """

    def __init__(self, train: Samples, valid: Samples, parameters: TrainingParameters) -> None:
        if not len(train.labels_N) or not len(valid.labels_N):
            got = f"{len(train.labels_N)} and {len(valid.labels_N)}"
            raise TrainingError(f"Expected samples to train and validate on, got {got}.")
        self.phases: Sequence[Phase] = (Phase("all", parameters.max_epochs),)
        self.chances_N = np.ones(len(train.labels_N))
        self._train, self._valid, self._parameters = train, valid, parameters

    def digests(self) -> tuple[str, ...]:
        """Return a sha256 of each split."""
        return self._train.digest(), self._valid.digest()

    def to(self, device: torch.device) -> None:
        """Move the samples to a device, all at once."""
        self._device = device
        self._images_NHW = torch.tensor(self._train.images_NHW, device=device)
        self._labels_N = torch.tensor(self._train.labels_N, device=device)

    def loss(self, network: nn.Module, chosen_B: Tensor, generator: torch.Generator) -> Tensor:
        """Return the mean cross-entropy over some samples, each varied at random, in nats."""
        images_B1HW = _to_batch(self._images_NHW[chosen_B])
        images_B1HW = vary(images_B1HW, self._parameters, generator)
        with autocast(self._device, self._parameters.precision):
            logits_BK = network(images_B1HW)
        smoothing = self._parameters.label_smoothing
        return functional.cross_entropy(
            logits_BK.float(), self._labels_N[chosen_B], label_smoothing=smoothing
        )

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Return loss and accuracy on the validation samples."""
        logits_NK = torch.from_numpy(predict_logits(network, self._valid.images_NHW))
        labels_N = torch.from_numpy(self._valid.labels_N)
        return {
            "valid_loss": float(functional.cross_entropy(logits_NK, labels_N)),
            "valid_accuracy": float((logits_NK.argmax(dim=1) == labels_N).float().mean()),
        }


def vary(images_B1HW: Tensor, parameters: TrainingParameters, generator: torch.Generator) -> Tensor:
    """Return images, each turned, stretched, slanted and moved at random."""
    reach = (parameters.rotation_deg, *[parameters.scale] * 2, parameters.slant)
    reach_6 = torch.tensor([*reach, *[parameters.shift] * 2], device=images_B1HW.device)
    drawn_B6 = torch.rand(
        len(images_B1HW), 6, generator=generator, device=images_B1HW.device
    ).mul_(2).sub_(1)  # fmt: skip
    turn, wide, high, slant, right, down = (drawn_B6 * reach_6).unbind(dim=1)
    cos, sin = torch.cos(turn.deg2rad()), torch.sin(turn.deg2rad())
    rows = (
        torch.stack([cos * (1 + wide), slant - sin, right], dim=1),
        torch.stack([sin, cos * (1 + high), down], dim=1),
    )
    grid = functional.affine_grid(
        torch.stack(rows, dim=1), list(images_B1HW.shape), align_corners=False
    )
    return functional.grid_sample(images_B1HW, grid, align_corners=False)


@torch.inference_mode()
def predict_logits(network: nn.Module, images_NHW: UInt8Array, batch: int = 1024) -> Float32Array:
    """Return the logits `(N, K)` of a network, in evaluation mode, where it lies."""
    device = next(network.parameters()).device
    network.eval()
    parts = [
        network(_to_batch(torch.tensor(images_NHW[start : start + batch], device=device)))
        for start in range(0, len(images_NHW), batch)
    ]
    logits_NK: Float32Array = torch.cat(parts).float().cpu().numpy()
    return logits_NK


def _to_batch(images_NHW: Tensor) -> Tensor:
    images_N1HW = images_NHW.unsqueeze(1).float().div_(255.0)
    return images_N1HW.contiguous(memory_format=torch.channels_last)
