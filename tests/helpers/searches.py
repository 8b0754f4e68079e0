"""What tests of the search share: a function with a known best point in place of a training."""

import math
import os
import signal
import time
from dataclasses import dataclass, field
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pandas as pd

from bukva.core.training.fit import OnEpoch
from bukva.core.tuning.search import Search, TrainOnce
from bukva.tasks.glyph.parameters import TrainingParameters, TuningParameters

EPOCHS = 3
SETTINGS: dict[str, Any] = {
    "study": "bowl",
    "space": {
        "learning_rate": {"low": 0.001, "high": 0.1, "log": True},
        "augmentation.slant": {"low": 0.0, "high": 1.0},
    },
    "valid_corpora": {"strokes": 1.0},
    "trials": 6,
    "epochs": EPOCHS,
    "startup_trials": 4,
    "pruner": {"name": "none"},
    "heartbeat_s": 1,
    "grace_s": 5,  # a living worker of a busy machine is not taken for dead
}


def make_search(
    url: str,
    train: TrainOnce | None = None,
    observer: Any = None,
    base: TrainingParameters | None = None,
    data_digest: str = "data",
    **changes: Any,
) -> Search:
    parameters = TuningParameters.model_validate(SETTINGS | changes)
    base = base or TrainingParameters(corpora={"strokes": 1.0})
    return Search(url, parameters, base, train or slide_into_bowl, data_digest, observer)


def slide_into_bowl(parameters: TrainingParameters, on_epoch: OnEpoch) -> pd.DataFrame:
    """A history whose loss falls to its lowest at learning rate 0.01 and slant 0.5."""
    distance = math.log10(parameters.learning_rate / 0.01) ** 2
    distance += (parameters.augmentation.slant - 0.5) ** 2
    rows = []
    for epoch in range(1, parameters.max_epochs + 1):
        rows.append({
            "epoch": epoch,
            "valid_loss": distance + 1 / epoch,
            "valid_label_accuracy": 1 / (1 + distance),
            "valid_case_accuracy": math.nan,
        })  # fmt: skip
        on_epoch(rows[-1])
    return pd.DataFrame(rows)


def fail(parameters: TrainingParameters, on_epoch: OnEpoch) -> pd.DataFrame:
    """Fail at once."""
    raise ZeroDivisionError


def ask_at_once(url: str, ready: Barrier, numbers: "Queue[int]") -> None:
    """Take a trial of a study that others open at the same moment."""
    study = make_search(url).open()
    ready.wait()
    numbers.put(study.ask().number)


@dataclass
class KilledOnce:
    """The first process that trains is killed by the system in the middle of its trial."""

    mark: Path

    def __call__(self, parameters: TrainingParameters, on_epoch: OnEpoch) -> pd.DataFrame:
        try:
            self.mark.touch(exist_ok=False)
        except FileExistsError:
            return slide_into_bowl(parameters, on_epoch)
        on_epoch({"epoch": 1, "valid_loss": 9.0})
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("unreachable")


@dataclass
class Slowly:
    """So that the database is away within trials, too."""

    epoch_s: float

    def __call__(self, parameters: TrainingParameters, on_epoch: OnEpoch) -> pd.DataFrame:
        def show(row: dict[str, object]) -> None:
            time.sleep(self.epoch_s)
            on_epoch(row)

        return slide_into_bowl(parameters, show)


@dataclass
class Notes:
    """An observer that writes down what it is told."""

    rows: dict[str, int] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    values: dict[str, dict[str, Any]] = field(default_factory=dict)

    def start(self, number: int, values: Any) -> str:
        name = f"trial {number}"
        self.values[name], self.rows[name] = dict(values), 0
        return name

    def record(self, name: str, row: Any) -> None:
        self.rows[name] += 1

    def end(self, name: str, state: str) -> None:
        self.states[name] = state
