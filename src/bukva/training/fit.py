"""Training a network: `fit` is the one function in which loaders and optimisers live.

Shapes: B images in a batch, N samples, H x W pixels, F page features, K labels.
"""

import hashlib
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from bukva.data.augmentation import augment_images, augment_page
from bukva.errors import NonFiniteLossError, TrainingError
from bukva.models.prediction import predict_logits, to_batch
from bukva.models.trained import weights_of
from bukva.parameters import TrainingParameters
from bukva.training.checkpoint import CheckpointStore, pack, unpack
from bukva.training.device import autocast, resolve_device
from bukva.training.losses import glyph_loss
from bukva.training.optimisation import Optimisation
from bukva.training.samples import GlyphSamples
from bukva.training.seeding import seeded


class FitResult(NamedTuple):
    """Weights of the best epoch by validation loss, and one row of figures an epoch."""

    weights: dict[str, NDArray[Any]]
    history: pd.DataFrame


@dataclass
class _Progress:
    """What has been reached so far; goes into every checkpoint."""

    epochs_done: int = 0
    epochs_since_best: int = 0
    best_loss: float = math.inf
    best_weights: dict[str, Tensor] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)

    def record(self, row: dict[str, Any], averaged: nn.Module) -> None:
        """Add an epoch, and keep its weights if none was better."""
        self.epochs_done += 1
        self.epochs_since_best += 1
        self.history.append(row)
        if row["valid_loss"] < self.best_loss:
            self.best_loss, self.epochs_since_best = row["valid_loss"], 0
            self.best_weights = {
                name: value.detach().cpu().clone() for name, value in averaged.state_dict().items()
            }


@dataclass(frozen=True)
class _Phase:
    name: str
    epochs: int
    first_epoch: int


def fit(
    network: nn.Module,
    train: GlyphSamples,
    valid: GlyphSamples,
    parameters: TrainingParameters,
    *,
    checkpoints: CheckpointStore | None = None,
) -> FitResult:
    """Train a network: first its heads, then all of it.

    Same seed, samples, parameters and machine give the same weights, also when the run was killed
    and went on from a checkpoint.

    Args:
        network: Changed in place.
        train: What is learnt from.
        valid: What decides which epoch is kept and when to stop early.
        parameters: All that can be set.
        checkpoints: Where the state is kept after each epoch; None for nowhere.

    Returns:
        The kept weights and the history: columns `epoch`, `phase`, `learning_rate`, `train_loss`,
        `valid_loss`, `valid_label_accuracy`, `valid_case_accuracy`, `seconds`.

    Raises:
        TrainingError: If there is nothing to train or validate on.
        NonFiniteLossError: If the loss stops being a number.
    """
    if not len(train) or not len(valid):
        message = f"Expected samples to train and validate on, got {len(train)} and {len(valid)}."
        raise TrainingError(message)
    with seeded(parameters.seed):
        run = _Run(network, train, valid, parameters, checkpoints)
        for phase in run.phases():
            run.train_phase(phase)
    if checkpoints:
        checkpoints.clear()
    network.load_state_dict(run.progress.best_weights)
    return FitResult(weights_of(network), pd.DataFrame(run.progress.history))


class _Run:
    """One training run: the samples on their device, the network, what has been reached."""

    def __init__(
        self,
        network: nn.Module,
        train: GlyphSamples,
        valid: GlyphSamples,
        parameters: TrainingParameters,
        checkpoints: CheckpointStore | None,
    ) -> None:
        self.device = resolve_device(parameters.device)
        self.network = network.to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.parameters = parameters
        self.valid = valid
        self.checkpoints = checkpoints
        self.fingerprint = _fingerprint(train, valid, parameters)
        self.generator = torch.Generator(self.device).manual_seed(parameters.seed)
        self.progress = _Progress()
        self.images_NHW, self.page_NF, self.labels_N, self.uppercase_N, self.weights_N = (
            torch.from_numpy(np.array(values)).to(self.device)
            for values in (
                train.images_NHW,
                train.page_NF,
                train.labels_N,
                train.uppercase_N,
                train.weights_N,
            )
        )
        samples = len(train)
        self.steps_per_epoch = parameters.steps_per_epoch or -(-samples // parameters.batch_size)
        self.resumed = self._read_checkpoint() if checkpoints and parameters.resume else None

    def phases(self) -> Iterator[_Phase]:
        """Yield what is still to be trained: the heads alone, then everything."""
        heads, everything = self.parameters.head_epochs, self.parameters.max_epochs
        for phase in (_Phase("heads", heads, 0), _Phase("all", everything, heads)):
            if self.progress.epochs_done < phase.first_epoch + phase.epochs:
                yield phase

    def train_phase(self, phase: _Phase) -> None:
        """Train until the phase's epochs are over or validation stands still."""
        _hold_backbone(self.network, still=phase.name == "heads")
        optimisation = Optimisation(
            self.network, self.parameters, phase.epochs, self.steps_per_epoch
        )
        optimisation.averaged.to(self.device)
        if self.resumed:
            optimisation.load_state_dict(self.resumed["optimisation"])
            self.resumed = None
        while self.progress.epochs_done < phase.first_epoch + phase.epochs:
            self._train_epoch(phase, optimisation)
            if self.progress.epochs_since_best >= self.parameters.patience_epochs:
                break

    def _train_epoch(self, phase: _Phase, optimisation: Optimisation) -> None:
        started_s, learning_rate = time.perf_counter(), optimisation.learning_rate
        epoch = self.progress.epochs_done + 1
        total = self.parameters.head_epochs + self.parameters.max_epochs
        loss_sum = 0.0
        with tqdm(
            total=self.steps_per_epoch, desc=f"epoch {epoch}/{total} ({phase.name})", unit="step"
        ) as bar:
            for step, chosen_B in enumerate(self._draw_batches(), start=1):
                loss = self._train_step(chosen_B, optimisation)
                if not math.isfinite(loss):
                    raise _non_finite(loss, epoch, step, optimisation.learning_rate)
                loss_sum += loss
                bar.update()
            row = self._validate(optimisation.averaged.module)
            bar.set_postfix(
                loss=f"{loss_sum / self.steps_per_epoch:.3f}",
                valid=f"{row['valid_label_accuracy']:.4f}",
            )
        optimisation.end_epoch(row["valid_loss"])
        record: dict[str, Any] = {
            "epoch": epoch,
            "phase": phase.name,
            "learning_rate": learning_rate,
            "train_loss": loss_sum / self.steps_per_epoch,
            **row,
            "seconds": time.perf_counter() - started_s,
        }
        self.progress.record(record, optimisation.averaged.module)
        self._write_checkpoint(optimisation)

    def _draw_batches(self) -> Iterator[Tensor]:
        """Yield indices for the batches of one epoch, drawn by the samples' weights."""
        size = self.parameters.batch_size
        for _ in range(self.steps_per_epoch):
            yield torch.multinomial(
                self.weights_N, size, replacement=True, generator=self.generator
            )

    def _train_step(self, chosen_B: Tensor, optimisation: Optimisation) -> float:
        self.network.train()
        images_B1HW, page_BF = to_batch(
            self.images_NHW[chosen_B], self.page_NF[chosen_B], self.device
        )
        augmentation = self.parameters.augmentation
        images_B1HW = augment_images(images_B1HW, augmentation, self.generator)
        page_BF = augment_page(page_BF, augmentation, self.generator)
        with autocast(self.device, self.parameters.precision):
            logits_BK, case_logits_B = self.network(images_B1HW, page_BF)
        loss = glyph_loss(
            logits_BK,
            case_logits_B,
            self.labels_N[chosen_B],
            self.uppercase_N[chosen_B],
            label_smoothing=self.parameters.label_smoothing,
            case_loss_weight=self.parameters.case_loss_weight,
        )
        optimisation.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimisation.step()
        return float(loss.detach())

    def _validate(self, network: nn.Module) -> dict[str, float]:
        """Measure on the validation samples, weighted as training draws them."""
        valid = self.valid
        logits = predict_logits(network, valid.images_NHW, valid.page_NF, device=self.device)
        tensors = (*logits, valid.labels_N, valid.uppercase_N)
        loss = glyph_loss(
            *(torch.from_numpy(np.array(values)) for values in tensors),
            weights_B=torch.from_numpy(np.array(valid.weights_N)),
            label_smoothing=self.parameters.label_smoothing,
            case_loss_weight=self.parameters.case_loss_weight,
        )
        right_label_N = logits.label_NK.argmax(axis=1) == valid.labels_N
        right_case_N = (logits.case_N > 0) == (valid.uppercase_N > 0.5)
        has_case_N = ~np.isnan(valid.uppercase_N)
        return {
            "valid_loss": float(loss),
            "valid_label_accuracy": _weighted_mean(right_label_N, valid.weights_N),
            "valid_case_accuracy": _weighted_mean(right_case_N, valid.weights_N * has_case_N),
        }

    def _write_checkpoint(self, optimisation: Optimisation) -> None:
        if self.checkpoints is None:
            return
        state = {
            "fingerprint": self.fingerprint,
            "optimisation": optimisation.state_dict(),
            "progress": vars(self.progress),
            "generator": self.generator.get_state(),
            "torch_rng": torch.get_rng_state(),
            "cuda_rng": torch.cuda.get_rng_state_all() if self.device.type == "cuda" else [],
        }
        self.checkpoints.save(pack(state))

    def _read_checkpoint(self) -> dict[str, Any] | None:
        """Take up a checkpoint of this very run; any other is left to be overwritten."""
        packed = self.checkpoints.load() if self.checkpoints else None
        state = unpack(packed) if packed else None
        if state is None or state["fingerprint"] != self.fingerprint:
            return None
        self.progress = _Progress(**state["progress"])
        self.generator.set_state(state["generator"])
        torch.set_rng_state(state["torch_rng"])
        if state["cuda_rng"]:
            torch.cuda.set_rng_state_all(state["cuda_rng"])
        tqdm.write(f"going on after epoch {self.progress.epochs_done}")
        return state


def _fingerprint(train: GlyphSamples, valid: GlyphSamples, parameters: TrainingParameters) -> str:
    settings = parameters.model_dump_json(exclude={"resume", "device"})
    return hashlib.sha256(f"{settings}{train.digest()}{valid.digest()}".encode()).hexdigest()


def _weighted_mean(values_N: NDArray[Any], weights_N: NDArray[Any]) -> float:
    """Return the mean, NaN where all weights are zero."""
    total = float(weights_N.sum())
    return float((values_N * weights_N).sum()) / total if total else math.nan


def _hold_backbone(network: nn.Module, *, still: bool) -> None:
    for name, weight in network.named_parameters():
        weight.requires_grad_(not (still and name.startswith("backbone.")))


def _non_finite(loss: float, epoch: int, step: int, learning_rate: float) -> NonFiniteLossError:
    return NonFiniteLossError(
        f"Expected a finite loss, got {loss} in epoch {epoch}, step {step}, at learning rate "
        f"{learning_rate:.3g}. Lower the learning rate, or look for broken samples."
    )
