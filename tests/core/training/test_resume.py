import dataclasses
import multiprocessing
import os
import signal

import numpy as np
import pandas as pd
import pytest
import torch
from training_runs import MemoryStore, assert_same_weights, make_network

from bukva.core.training.checkpoint import pack, unpack
from bukva.errors import TrainingError

EPOCHS = 5


def run_killed(run_fit, saves, **changed):
    """Return a store with what a run that was killed right after some epochs left behind."""
    killed, left = MemoryStore(saves), MemoryStore()
    with pytest.raises(KeyboardInterrupt):
        run_fit(killed, **changed)
    left.kept = killed.kept
    return left


# Two epochs are the heads alone: after them the next phase begins anew.
RUNS = {
    "one cycle": {},
    "plateau": {"schedule": "plateau", "learning_rate": 1e-30, "patience_epochs": 3},
    "stopping early": {
        "learning_rate": 1e-30,
        "patience_epochs": 1,
        "head_epochs": 9,
        "max_epochs": 9,
    },
}


@pytest.mark.parametrize("name", RUNS)
def test_a_run_killed_after_any_epoch_goes_on_to_the_same_weights(run_fit, name):
    changed = RUNS[name]
    whole = run_fit(**changed)
    total = len(whole.history)
    assert total > 2
    figures = [column for column in whole.history if column != "seconds"]
    for epochs in range(1, total + 1):
        store = run_killed(run_fit, epochs, **changed)
        resumed = run_fit(store, **changed)
        assert_same_weights(resumed, whole)
        pd.testing.assert_frame_equal(resumed.history[figures], whole.history[figures])
        assert len(store.states) == total - epochs
        assert store.kept is None


def test_a_run_that_was_stopped_from_outside_can_be_gone_on_with(run_fit):
    def stop_after_three(row):
        if row["epoch"] == 3:
            raise InterruptedError

    store = MemoryStore()
    with pytest.raises(InterruptedError):
        run_fit(store, on_epoch=stop_after_three)
    resumed = run_fit(store)
    assert_same_weights(resumed, run_fit())
    assert len(store.states) == EPOCHS


CHANGES = {
    "seed": {"seed": 2},
    "learning rate": {"learning_rate": 0.001},
    "augmentation": {"augmentation": {"rotation_deg": 1.0}},
    "pretrained weights": {"network": 9},
    "images": {"images": 1},
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_checkpoint_of_another_run_is_left_alone(run_fit, drawn_samples, change, capsys):
    changed = dict(CHANGES[change])
    if "images" in changed:
        images = drawn_samples.images_NHW.copy()
        images[0, 0, 0] ^= 1
        changed = {"samples": dataclasses.replace(drawn_samples, images_NHW=images)}
    network = make_network(changed.pop("network", 1))
    store = run_killed(run_fit, 2)
    run_fit(store, network=network, **changed)
    assert len(store.states) == EPOCHS
    assert "training with other parameters, samples, weights" in capsys.readouterr().out


def test_resume_can_be_switched_off(run_fit):
    store = run_killed(run_fit, 2)
    run_fit(store, resume=False)
    assert len(store.states) == EPOCHS


@pytest.mark.parametrize("kept", [b"PK\x03\x04 half a file", b"no archive at all"])
def test_a_checkpoint_that_cannot_be_read_says_what_to_do(run_fit, kept):
    store = MemoryStore()
    store.kept = kept
    with pytest.raises(TrainingError, match="set resume=false to start anew"):
        run_fit(store)
    run_fit(store, resume=False)
    assert store.kept is None


def test_a_checkpoint_that_would_run_code_is_refused():
    class Harm:
        def __reduce__(self):
            return os.getcwd, ()

    buffer = pack({"harm": Harm()})
    with pytest.raises(TrainingError, match="unreadable"):
        unpack(buffer)


def test_a_checkpoint_without_names_is_refused():
    with pytest.raises(TrainingError, match="Expected a checkpoint to hold a dict, got list"):
        unpack(pack([1, 2]))


def test_packing_keeps_tensors_and_plain_values():
    state = {"tensor": torch.arange(3.0), "inf": float("inf"), "rows": [{"phase": "all"}]}
    found = unpack(pack(state))
    np.testing.assert_array_equal(found.pop("tensor"), state.pop("tensor"))
    assert found == state


class FileStore(MemoryStore):
    """Keeps its state in a file, and has its process killed after some saves."""

    def __init__(self, path, saves_until_killed):
        super().__init__()
        self.path, self.saves_left = path, saves_until_killed

    def save(self, state):
        self.path.write_bytes(state)
        self.saves_left -= 1
        if not self.saves_left:
            os.kill(os.getpid(), signal.SIGKILL)


def test_a_process_killed_by_the_system_is_gone_on_with(run_fit, tmp_path):
    path = tmp_path / "checkpoint"
    # A fork is there at once; a new process would import torch for seconds.
    child = multiprocessing.get_context("fork").Process(target=run_fit, args=[FileStore(path, 3)])
    child.start()
    child.join(timeout=60)
    assert child.exitcode == -signal.SIGKILL
    store = MemoryStore()
    store.kept = path.read_bytes()
    assert_same_weights(run_fit(store), run_fit())
    assert len(store.states) == EPOCHS - 3
