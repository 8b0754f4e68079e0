"""A stage of training that takes a second: a small network, few steps."""

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import nn
from training_runs import make_network

from bukva.core.training.checkpoint import CheckpointStore
from bukva.core.training.fit import FitResult, OnEpoch, fit
from bukva.tasks.glyph.learner import GlyphLearner
from bukva.tasks.glyph.parameters import TrainingParameters
from bukva.tasks.glyph.training_samples import GlyphSamples


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def settings() -> dict[str, object]:
    """Return the parameters of a run of five epochs in two phases."""
    return {
        "corpora": {"strokes": 1.0},
        "width": 4,
        "head_epochs": 2,
        "max_epochs": 3,
        "steps_per_epoch": 2,
        "batch_size": 8,
        "ema_decay": 0.8,
        "device": "cpu",
    }


@pytest.fixture
def run_fit(drawn_samples: GlyphSamples, settings: dict[str, object]) -> Callable[..., FitResult]:
    """Return a function that trains a new network, with some parameters changed."""

    def run(
        store: CheckpointStore | None = None,
        network: nn.Module | None = None,
        samples: GlyphSamples = drawn_samples,
        on_epoch: OnEpoch | None = None,
        **changed: object,
    ) -> FitResult:
        parameters = TrainingParameters.model_validate(settings | changed)
        network = network or make_network()
        learner = GlyphLearner(samples, samples, parameters)
        return fit(network, learner, parameters, checkpoints=store, on_epoch=on_epoch)

    return run
