"""One training by two processes: the same batches, the same losses, one checkpoint."""

import multiprocessing
import os
import signal
from collections.abc import Callable

import numpy as np
import psutil
import pytest
import torch
from torch.nn import BatchNorm1d, BatchNorm2d, Dropout
from training_runs import MemoryStore, assert_same_weights, make_network

from bukva.core.training import parallel
from bukva.core.training.fit import FitResult, train_part
from bukva.errors import NonFiniteLossError, ParameterError, TrainingError
from bukva.tasks.glyph.learner import GlyphLearner
from bukva.tasks.glyph.parameters import TrainingParameters
from bukva.tasks.glyph.training_samples import GlyphSamples

EPOCHS = 5
# Of the losses. Sums in another order, and Adam, which makes steps of what is next to nothing.
ROUNDING = 5e-4
# On CPUs batch norms see the share of their process alone.
OWN_STATISTICS = 0.02
STILL = dict.fromkeys(
    ("rotation_deg", "scale", "slant", "shift", "elastic_strength", "pen_width", "ink_softness",
     "ink_gamma", "page_dropout", "page_lending", "page_scale", "page_shift"), 0.0,
)  # fmt: skip
# Nothing is drawn at random but the batches, of which two processes cannot take equal shares.
COMPARED = {
    "augmentation": STILL,
    "dropout": 0.0,
    "batch_size": 33,
    "learning_rate": 0.0005,
    "precision": "float32",
    "processes": 2,
}

RunFit = Callable[..., FitResult]


@pytest.fixture(autouse=True)
def _forked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers that are there at once: new processes would import torch for seconds."""
    multiprocessing.get_context("forkserver").set_forkserver_preload(
        [
            "bukva.core.training.fit",
            "bukva.tasks.glyph.learner",
            "torch._dynamo",
        ]  # what DDP imports
    )
    monkeypatch.setattr(parallel, "START_METHOD", "forkserver")


def network_without(*kinds: type[torch.nn.Module]) -> torch.nn.Module:
    """Return a network in which dropout, or batch norms, do nothing."""
    network = make_network()
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, kinds):
                setattr(module, name, torch.nn.Identity())
    return network


@pytest.mark.parametrize(
    ("tolerance", "without"),
    [(ROUNDING, (Dropout, BatchNorm1d, BatchNorm2d)), (OWN_STATISTICS, (Dropout,))],
    ids=["without batch norms", "with batch norms"],
)
def test_two_processes_learn_what_one_learns(
    run_fit: RunFit,
    drawn_samples: GlyphSamples,
    settings: dict[str, object],
    tolerance: float,
    without: tuple[type[torch.nn.Module], ...],
) -> None:
    """Two take unequal shares of the same batches, which one takes as a whole."""
    rows: list[dict[str, object]] = []
    # The parameters of two: then the batches do not depend on what the variation draws.
    parameters = TrainingParameters.model_validate(settings | COMPARED)
    learner = GlyphLearner(drawn_samples, drawn_samples, parameters)
    *_, alone = train_part(network_without(*without), learner, parameters, None, keeps=False)
    assert isinstance(alone, FitResult)
    network = network_without(*without)
    together = run_fit(network=network, on_epoch=rows.append, **COMPARED)
    for name in ("train_loss", "valid_loss"):
        np.testing.assert_allclose(together.history[name], alone.history[name], rtol=tolerance)
    assert [row["epoch"] for row in rows] == alone.history["epoch"].to_list()
    # As after a training by one, the network is the one that was kept.
    for name, tensor in network.state_dict().items():
        np.testing.assert_array_equal(tensor.numpy(), together.weights[name])


def kill_a_worker_at(epoch: int) -> Callable[[dict[str, object]], None]:
    """Kill the last process that this one's training has started, once."""
    killed: list[int] = []

    def show(row: dict[str, object]) -> None:
        if row["epoch"] == epoch and not killed:
            [*_, last] = sorted(workers(), key=lambda process: process.create_time())
            killed.append(last.pid)
            last.kill()

    return show


def workers() -> list[psutil.Process]:
    """Return what the server of forks has started, and no server that other tests have left on."""
    servers = (
        child
        for child in psutil.Process().children()
        if "multiprocessing.forkserver" in " ".join(child.cmdline())
    )
    return [worker for server in servers for worker in server.children()]


def interrupt_at_two(row: dict[str, object]) -> None:
    """Do as Ctrl+C does, of which the workers of this test see nothing by themselves."""
    if row["epoch"] == 2:
        os.kill(os.getpid(), signal.SIGINT)


def test_what_interrupts_two_processes_changes_no_weight(run_fit: RunFit) -> None:
    """A worker dies, and all are started again; the caller stops, and goes on later."""
    whole = run_fit(processes=2)
    store = MemoryStore()
    assert_same_weights(run_fit(store, processes=2, on_epoch=kill_a_worker_at(3)), whole)
    assert store.kept is None
    stopped = MemoryStore()
    with pytest.raises(KeyboardInterrupt):
        run_fit(stopped, processes=2, on_epoch=interrupt_at_two)
    assert workers() == []
    assert len(stopped.states) == 2
    assert_same_weights(run_fit(stopped, processes=2), whole)
    assert len(stopped.states) == EPOCHS


def test_without_a_checkpoint_the_death_of_a_worker_is_an_error(run_fit: RunFit) -> None:
    with pytest.raises(TrainingError, match=r"Expected 2 processes to train to the end, got .*-9"):
        run_fit(processes=2, on_epoch=kill_a_worker_at(2))


def test_a_loss_that_is_no_number_is_said_as_by_one_process(run_fit: RunFit) -> None:
    with pytest.raises(NonFiniteLossError, match="epoch 1, step"):
        run_fit(MemoryStore(), processes=2, learning_rate=1e30, head_epochs=0)


def test_a_checkpoint_of_another_number_of_processes_is_left_alone(
    run_fit: RunFit,
) -> None:
    killed, store = MemoryStore(2), MemoryStore()
    with pytest.raises(KeyboardInterrupt):
        run_fit(killed)
    store.kept = killed.kept
    run_fit(store, processes=2)
    assert len(store.states) == EPOCHS


def test_more_processes_than_gpus_are_refused() -> None:
    together = parallel.run_together(iter, (), processes=99, device=torch.device("cuda"))
    with pytest.raises(ParameterError, match="Expected a GPU for each of 99 processes"):
        next(together)


def test_every_process_gets_something_of_a_batch() -> None:
    with pytest.raises(ValueError, match="expected processes <= batch_size, got 3 > 2"):
        TrainingParameters(corpora={"strokes": 1.0}, processes=3, batch_size=2)
