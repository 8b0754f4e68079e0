"""A search for better parameters: a study whose trials are short trainings."""

import hashlib
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import pandas as pd
from optuna import TrialPruned
from optuna.exceptions import UpdateFinishedTrialError
from optuna.pruners import (
    BasePruner,
    HyperbandPruner,
    MedianPruner,
    NopPruner,
    SuccessiveHalvingPruner,
)
from optuna.samplers import TPESampler
from optuna.trial import FrozenTrial, Trial, TrialState

from bukva.core.training.fit import OnEpoch
from bukva.core.training.parameters import FitParameters
from bukva.core.tuning.parameters import TuningParameters
from bukva.core.tuning.study import FINISHED, SharedStudy
from bukva.core.tuning.trials import apply_values, read_values, suggest_values
from bukva.core.tuning.work import GivenUpError
from bukva.errors import NonFiniteLossError, TuningError

TrainOnce = Callable[[Any, OnEpoch], pd.DataFrame]
"""Trains with given parameters, shows every epoch, returns the history."""

_COMPARED: Final = {"space", "measure", "valid_corpora", "valid_class_balance"}


class TrialObserver(Protocol):
    """Is told what happens in each trial; sent to every worker, so it is data."""

    def start(self, number: int, values: Mapping[str, Any]) -> str:
        """Return a name for what is kept of this trial."""

    def record(self, name: str, row: Mapping[str, Any]) -> None:
        """Keep an epoch's row of the history."""

    def end(self, name: str, state: str) -> None:
        """Keep how it ended: `complete`, `pruned`, `failed` or `killed`."""


@dataclass(frozen=True)
class Search:
    """Everything that a worker must know: it is sent to their processes, so it is data.

    Attributes:
        url: Of the database with the study.
        parameters: The parameters of the search.
        base: What is trained with where nothing is searched.
        train: Trains once.
        data_digest: sha256 of the samples and of whatever else `train` depends on.
        observer: Is told what happens, None for nobody.
        started_s: When the time of the search began, on the system's monotonic clock.
    """

    url: str
    parameters: TuningParameters
    base: FitParameters
    train: TrainOnce
    data_digest: str
    observer: TrialObserver | None = None
    started_s: float = field(default_factory=time.monotonic)

    def training_of(self, values: Mapping[str, Any]) -> FitParameters:
        """Return the parameters of a trial with these values."""
        budget = {
            "max_epochs": self.parameters.epochs,
            "steps_per_epoch": self.parameters.steps_per_epoch,
            # What searches faster is more workers.
            "processes": 1,
        }
        return apply_values(self.base, {**budget, **values})

    def fingerprint(self) -> str:
        """Return a sha256 over everything that makes trials comparable."""
        searched = {name: item.ends[0] for name, item in self.parameters.space.items()}
        parts = (
            self.data_digest,
            self.training_of(searched).recipe(),
            self.parameters.model_dump_json(include=_COMPARED),
        )
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def open(self) -> SharedStudy:
        """Return the study; a new one begins with the values that stand in conf.

        Raises:
            TuningError: If the database does not answer, or the study is of something else.
        """
        shared = SharedStudy(
            self.url,
            self.parameters.study,
            self.parameters,
            self._on_killed,
            pruner=_make_pruner(self.parameters),
            direction="maximize" if self.parameters.is_maximised else "minimize",
        )
        known = shared.study.user_attrs.get("fingerprint")
        if known is None:
            shared.patiently(shared.study.set_user_attr, "fingerprint", self.fingerprint())
        elif known != self.fingerprint():
            message = (
                f"Expected study {self.parameters.study!r} to be of these data and parameters, it "
                "is of others: their trials cannot be compared. Give tuning.study another name, "
                "or delete the study."
            )
            raise TuningError(message)
        if not shared.trials():
            first = read_values(self.base, self.parameters.space)
            shared.patiently(shared.study.enqueue_trial, first, skip_if_exists=True)
        return shared

    def _on_killed(self, trial: FrozenTrial) -> None:
        if self.observer is not None and "run" in trial.user_attrs:
            self.observer.end(trial.user_attrs["run"], "killed")

    def count_left(self, trials: Sequence[FrozenTrial]) -> int:
        """Return how many are wanted that have not finished; none where the time is up."""
        timeout_s = self.parameters.timeout_s
        if timeout_s and time.monotonic() - self.started_s > timeout_s:
            return 0
        finished = sum(trial.state in FINISHED for trial in trials)
        return max(0, self.parameters.trials - finished)

    def run(self, study: SharedStudy, trial: Trial) -> float:
        """Train once and return the measure of the epoch that is kept."""
        # Two workers that ask at the same moment both see that one more is wanted.
        others = study.trials(*FINISHED, TrialState.RUNNING)
        if sum(other.number < trial.number for other in others) >= self.parameters.trials:
            reason = "not run: others have begun the last ones that were asked for"
            study.patiently(trial.set_user_attr, "error", reason)
            raise GivenUpError(reason)
        # Draws depend on the trial, not on who draws them or when: a study that was stopped goes
        # on with what it would have drawn, and two workers never draw alike.
        study.study.sampler = TPESampler(
            seed=self.parameters.seed + trial.number,
            n_startup_trials=self.parameters.startup_trials,
        )
        values = study.patiently(suggest_values, trial, self.parameters.space)
        with self._observed(study, trial, values) as on_epoch:
            history = self.train(self.training_of(values), on_epoch)
            value = float(
                history[self.parameters.measure].iloc[int(history["valid_loss"].argmin())]
            )
            if not math.isfinite(value):
                message = (
                    f"Expected {self.parameters.measure} of trial {trial.number} to be a number, "
                    f"got {value}: do the samples of tuning.valid_corpora have it?"
                )
                raise TuningError(message)
            if study.is_taken(trial):
                raise UpdateFinishedTrialError
        return value

    @contextmanager
    def _observed(
        self, study: SharedStudy, trial: Trial, values: Mapping[str, Any]
    ) -> Iterator[OnEpoch]:
        """Tell the observer what happens, and end the trial where it is not worth going on."""
        observer = self.observer
        name = observer.start(trial.number, values) if observer else ""

        def on_epoch(row: Mapping[str, Any]) -> None:
            if observer:
                observer.record(name, row)
            study.patiently(trial.report, float(row[self.parameters.measure]), int(row["epoch"]))
            if study.patiently(trial.should_prune):
                raise TrialPruned(f"after epoch {row['epoch']}")

        state = "failed"
        try:
            study.patiently(trial.set_user_attr, "run", name)
            yield on_epoch
            state = "complete"
        except TrialPruned:
            state = "pruned"
            raise
        except NonFiniteLossError as error:
            # Bad parameters, which the sampler shall learn to leave alone: it ignores failures.
            state = "pruned"
            study.patiently(trial.set_user_attr, "error", str(error))
            raise TrialPruned(str(error)) from error
        except (UpdateFinishedTrialError, KeyboardInterrupt):
            state = "killed"
            raise
        finally:
            if observer:
                observer.end(name, state)


def _make_pruner(parameters: TuningParameters) -> BasePruner:
    pruner = parameters.pruner
    match pruner.name:
        case "median":
            # Optuna's median looks once as many epochs as the warm-up are behind.
            return MedianPruner(
                n_startup_trials=parameters.startup_trials, n_warmup_steps=pruner.warmup_epochs
            )
        case "halving":
            return SuccessiveHalvingPruner(
                min_resource=pruner.warmup_epochs, reduction_factor=pruner.reduction_factor
            )
        case "hyperband":
            return HyperbandPruner(
                min_resource=pruner.warmup_epochs, reduction_factor=pruner.reduction_factor
            )
        case "none":
            return NopPruner()
