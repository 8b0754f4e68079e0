"""A network and the samples it learns from, on one device: single steps and single measurements.

Shapes: B images in a batch, N samples, H x W pixels, F page features, K labels.
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bukva.data.augmentation import augment_images, augment_page, lend_page
from bukva.models.prediction import predict_logits, to_batch
from bukva.parameters import TrainingParameters
from bukva.training import parallel
from bukva.training.device import autocast, resolve_device
from bukva.training.losses import glyph_loss
from bukva.training.optimisation import Optimisation
from bukva.training.samples import GlyphSamples


class Learner:
    """Draws batches, varies them, takes steps and validates."""

    def __init__(
        self,
        network: nn.Module,
        train: GlyphSamples,
        valid: GlyphSamples,
        parameters: TrainingParameters,
    ) -> None:
        self.device = resolve_device(parameters.device)
        self.network = network.to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        parallel.share_statistics(self.network)
        self.steps_per_epoch = parameters.steps_per_epoch or -(-len(train) // parameters.batch_size)
        self._parameters = parameters
        self._valid = valid
        # All processes draw the same batches, and each varies its share by itself.
        self._generator = torch.Generator(self.device).manual_seed(parameters.seed)
        self._variation = self._generator
        if parameters.processes > 1:
            own_seed = parameters.seed + 1 + parallel.rank()
            self._variation = torch.Generator(self.device).manual_seed(own_seed)
        self._images_NHW = self._to_device(train.images_NHW)
        self._page_NF = self._to_device(train.page_NF)
        self._labels_N = self._to_device(train.labels_N)
        self._uppercase_N = self._to_device(train.uppercase_N)
        self._weights_N = self._to_device(train.weights_N)

    def _to_device(self, values: NDArray[Any]) -> Tensor:
        # A copy: arrays from the catalog may be read-only, which torch warns about.
        return torch.from_numpy(np.array(values)).to(self.device)

    def train_epoch(self, optimisation: Optimisation) -> Iterator[float]:
        """Yield the loss of each step of one epoch, on batches drawn by the samples' weights."""
        self.network.train()
        size = self._parameters.batch_size
        for _ in range(self.steps_per_epoch):
            chosen_B = torch.multinomial(
                self._weights_N, size, replacement=True, generator=self._generator
            )
            yield self._take_step(chosen_B, optimisation)

    def _take_step(self, drawn_B: Tensor, optimisation: Optimisation) -> float:
        chosen_B = parallel.share_of(drawn_B)
        images_B1HW, page_BF = self._draw_varied(chosen_B)
        with autocast(self.device, self._parameters.precision):
            logits_BK, case_logits_B = self.network(images_B1HW, page_BF)
        loss = self._loss(
            logits_BK, case_logits_B, self._labels_N[chosen_B], self._uppercase_N[chosen_B]
        )
        # The sum over the processes is the mean over what was drawn.
        loss = loss * (len(chosen_B) / len(drawn_B))
        optimisation.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        parallel.add_up_gradients(self.network)
        optimisation.step()
        return float(parallel.total(loss.detach()))

    def _draw_varied(self, chosen_B: Tensor) -> tuple[Tensor, Tensor]:
        images_B1HW, page_BF = to_batch(
            self._images_NHW[chosen_B], self._page_NF[chosen_B], self.device
        )
        augmentation = self._parameters.augmentation
        page_BF = lend_page(
            page_BF, self._uppercase_N[chosen_B].isnan(), augmentation.page_lending, self._variation
        )
        return (
            augment_images(images_B1HW, augmentation, self._variation),
            augment_page(page_BF, augmentation, self._variation),
        )

    def _loss(self, *tensors: Tensor, weights_B: Tensor | None = None) -> Tensor:
        return glyph_loss(
            *tensors,
            weights_B=weights_B,
            label_smoothing=self._parameters.label_smoothing,
            case_loss_weight=self._parameters.case_loss_weight,
        )

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Measure a network on the validation samples, weighted as training draws them."""
        valid = self._valid
        logits = predict_logits(network, valid.images_NHW, valid.page_NF, device=self.device)
        arrays = (*logits, valid.labels_N, valid.uppercase_N, valid.weights_N)
        *tensors, weights_N = (torch.from_numpy(np.array(values)) for values in arrays)
        right_label_N = logits.label_NK.argmax(axis=1) == valid.labels_N
        right_case_N = (logits.case_N > 0) == (valid.uppercase_N > 0.5)
        has_case_N = ~np.isnan(valid.uppercase_N)
        return {
            "valid_loss": float(self._loss(*tensors, weights_B=weights_N)),
            "valid_label_accuracy": _weighted_mean(right_label_N, valid.weights_N),
            "valid_case_accuracy": _weighted_mean(right_case_N, valid.weights_N * has_case_N),
        }

    def random_state(self) -> dict[str, Any]:
        """Return the state of every generator that the next step draws from."""
        is_cuda = self.device.type == "cuda"
        return {
            "generator": self._generator.get_state(),
            "variation": self._variation.get_state(),
            "torch": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state_all() if is_cuda else [],
        }

    def set_random_state(self, state: dict[str, Any]) -> None:
        """Take back what `random_state` returned."""
        self._generator.set_state(state["generator"])
        self._variation.set_state(state["variation"])
        torch.set_rng_state(state["torch"])
        if state["cuda"]:
            torch.cuda.set_rng_state_all(state["cuda"])


def _weighted_mean(values_N: NDArray[Any], weights_N: NDArray[Any]) -> float:
    """Return the mean, NaN where all weights are zero."""
    total = float(weights_N.sum())
    return float((values_N * weights_N).sum()) / total if total else math.nan
