"""Training a network: `fit` is the one function in which loaders and optimisers live."""

import copy
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import pandas as pd
import torch
from numpy.typing import NDArray
from torch import nn

from bukva.errors import TrainingError
from bukva.models.trained import weights_of
from bukva.parameters import TrainingParameters
from bukva.training import parallel
from bukva.training.checkpoint import CheckpointStore
from bukva.training.device import resolve_device
from bukva.training.launch import Ask, launch
from bukva.training.progress import plan_phases
from bukva.training.run import OnEpoch, Run
from bukva.training.samples import GlyphSamples
from bukva.training.seeding import seeded

_RESTARTS: Final = 2


class FitResult(NamedTuple):
    """Weights of the best epoch by validation loss, and one row of figures an epoch."""

    weights: dict[str, NDArray[Any]]
    history: pd.DataFrame


def fit(
    network: nn.Module,
    train: GlyphSamples,
    valid: GlyphSamples,
    parameters: TrainingParameters,
    *,
    checkpoints: CheckpointStore | None = None,
    on_epoch: OnEpoch | None = None,
) -> FitResult:
    """Train a network: first its heads, then all of it.

    Same seed, samples, parameters and machine give the same weights, also when the run was killed
    and went on from a checkpoint. Several processes, however many, draw the same batches.

    Args:
        network: Changed in place.
        train: What is learnt from.
        valid: What decides which epoch is kept and when to stop early.
        parameters: All that can be set.
        checkpoints: Where the state is kept after each epoch; None for nowhere.
        on_epoch: Called after each epoch, when its checkpoint is kept: what it raises ends the
            run, which can be gone on with. A run that goes on shows the former epochs again.

    Returns:
        The kept weights and the history: columns `epoch`, `phase`, `learning_rate`, `train_loss`,
        `valid_loss`, `valid_label_accuracy`, `valid_case_accuracy`, `seconds`.

    Raises:
        TrainingError: If there is nothing to train or validate on, or processes died.
        NonFiniteLossError: If the loss stops being a number.
    """
    if not len(train) or not len(valid):
        message = f"Expected samples to train and validate on, got {len(train)} and {len(valid)}."
        raise TrainingError(message)
    how = _fit_together if parameters.processes > 1 else fit_here
    return how(network, train, valid, parameters, checkpoints, on_epoch)


def fit_here(
    network: nn.Module,
    train: GlyphSamples,
    valid: GlyphSamples,
    parameters: TrainingParameters,
    checkpoints: CheckpointStore | None = None,
    on_epoch: OnEpoch | None = None,
) -> FitResult:
    """Do as `fit` in this process, which may be one of several that train together."""
    with seeded(parameters.seed + parallel.rank()):
        run = Run(network, train, valid, parameters, checkpoints, on_epoch)
        for phase in plan_phases(parameters):
            run.train_phase(phase)
    if checkpoints:
        checkpoints.clear()
    network.load_state_dict(run.progress.best_weights)
    return FitResult(weights_of(network), pd.DataFrame(run.progress.history))


def _fit_together(
    network: nn.Module,
    train: GlyphSamples,
    valid: GlyphSamples,
    parameters: TrainingParameters,
    checkpoints: CheckpointStore | None,
    on_epoch: OnEpoch | None,
) -> FitResult:
    """Train in several processes; checkpoints and rows of the history come to this one."""
    requests: dict[str, Callable[[Any], Any]] = {"show": on_epoch or (lambda _: None)}
    if (store := checkpoints) is not None:
        requests |= {
            "load": lambda _: store.load(),
            "save": store.save,
            "clear": lambda _: store.clear(),
        }
    result: FitResult = launch(
        _fit_part,
        (network, train, valid, parameters, checkpoints is not None),
        requests,
        processes=parameters.processes,
        device=resolve_device(parameters.device),
        restarts=_RESTARTS if checkpoints and parameters.resume else 0,
    )
    network.load_state_dict({name: torch.tensor(value) for name, value in result.weights.items()})
    return result


def _fit_part(
    ask: Ask,
    network: nn.Module,
    train: GlyphSamples,
    valid: GlyphSamples,
    parameters: TrainingParameters,
    has_checkpoints: bool,
) -> FitResult:
    # What is sent to a process of this machine may lie in memory that all of them see.
    own = copy.deepcopy(network)
    store = _FarStore(ask) if has_checkpoints else None
    return fit_here(own, train, valid, parameters, store, lambda row: ask("show", row))


class _FarStore:
    """The checkpoints of the process that launched this one."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def load(self) -> bytes | None:
        kept: bytes | None = self._ask("load", None)
        return kept

    def save(self, state: bytes) -> None:
        self._ask("save", state)

    def clear(self) -> None:
        self._ask("clear", None)
