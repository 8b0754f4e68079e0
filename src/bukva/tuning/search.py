"""Working through a study: one trial after the other, until enough have finished."""

import contextlib
import hashlib
import logging
import math
import multiprocessing
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import optuna
import pandas as pd
from optuna import TrialPruned
from optuna.exceptions import OptunaError, UpdateFinishedTrialError
from optuna.storages._heartbeat import BaseHeartbeat, get_heartbeat_thread
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from bukva.errors import NonFiniteLossError, TuningError
from bukva.parameters import TrainingParameters, TuningParameters
from bukva.training.run import OnEpoch
from bukva.tuning.space import apply_values, read_values, suggest_values
from bukva.tuning.study import count_trials, describe_trouble, open_study, retry_trial

logger = logging.getLogger(__name__)

TrainOnce = Callable[[TrainingParameters, OnEpoch], pd.DataFrame]
"""Trains with given parameters, shows every epoch, returns the history."""

_FINISHED: Final = (TrialState.COMPLETE, TrialState.PRUNED)
_POLL_S: Final = 0.5
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
    """Everything that a worker must know.

    Attributes:
        url: Of the database with the study.
        parameters: Of the search.
        base: What is trained with where nothing is searched.
        train: Trains once.
        data_digest: sha256 of the samples and of whatever else `train` depends on.
        observer: Is told what happens, None for nobody.
    """

    url: str
    parameters: TuningParameters
    base: TrainingParameters
    train: TrainOnce
    data_digest: str
    observer: TrialObserver | None = None

    def training_of(self, values: Mapping[str, Any]) -> TrainingParameters:
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

    def open(self) -> Study:
        """Return the study.

        Raises:
            TuningError: If the database does not answer, or the study is of something else.
        """
        first = read_values(self.base, self.parameters.space)
        return open_study(
            self.url, self.parameters, self.fingerprint(), first, on_killed=self._on_killed
        )

    def _on_killed(self, trial: FrozenTrial) -> None:
        if self.observer is not None and "run" in trial.user_attrs:
            self.observer.end(trial.user_attrs["run"], "killed")


def work(search: Search) -> None:
    """Run trials until the study is over, the time is up, or who started this process is gone.

    Trials of other workers count; one that falls silent is tried again by whoever sees it first.

    Raises:
        TuningError: If the study cannot be opened, its database went away for longer than the
            parameters allow, or a trial has no measure.
    """
    study = search.open()
    try:
        _work_through(search, study)
    except (OptunaError, SQLAlchemyError) as error:
        raise TuningError(describe_trouble(search.url, error)) from error


def _work_through(search: Search, study: Study) -> None:
    parameters, started_s = search.parameters, time.monotonic()
    while not _has_lost_parent() and count_trials(study, *_FINISHED) < parameters.trials:
        if parameters.timeout_s and time.monotonic() - started_s > parameters.timeout_s:
            return
        optuna.storages.fail_stale_trials(study)
        if count_trials(study, *_FINISHED, TrialState.RUNNING) < parameters.trials:
            _try_one(search, study)
        else:
            # The last trials are with others: one of these may yet be killed.
            time.sleep(_POLL_S)


class _GivenUpError(Exception):
    """A trial that is not ours to finish: others took it for dead, or one less was wanted."""


def _try_one(search: Search, study: Study) -> None:
    """Run the next trial; that it is given up on the way ends nothing else."""
    trial, state, value = study.ask(), TrialState.FAIL, None
    try:
        with get_heartbeat_thread(trial._trial_id, trial.storage):
            value = _run_trial(search, trial)
        state = TrialState.COMPLETE
    except TrialPruned as reason:
        state = TrialState.PRUNED
        logger.info("trial %d was stopped %s", trial.number, reason)
    except _GivenUpError as reason:
        logger.warning("trial %d is given up: %s", trial.number, reason)
    finally:
        study.tell(trial, value, state, skip_if_finished=True)
    if state == TrialState.COMPLETE:
        logger.info("trial %d: %s %.4g", trial.number, search.parameters.measure, value)


def _run_trial(search: Search, trial: Trial) -> float:
    """Train once and return the measure of the epoch that is kept."""
    parameters = search.parameters
    # Optuna's own thread may not have come to its first one before this process is killed; a trial
    # that never had a heartbeat is taken for alive for ever, and the others wait for it.
    if isinstance(trial.storage, BaseHeartbeat):
        trial.storage.record_heartbeat(trial._trial_id)
    if _is_superfluous(trial, parameters.trials):
        trial.set_user_attr("error", "not run: others have begun the last ones that were asked for")
        raise _GivenUpError("others have begun the last trials")
    values = suggest_values(trial, parameters.space)
    with _observed(search, trial, values) as on_epoch:
        history = search.train(search.training_of(values), on_epoch)
        value = float(history[parameters.measure].iloc[int(history["valid_loss"].argmin())])
        if not math.isfinite(value):
            message = (
                f"Expected {parameters.measure} of trial {trial.number} to be a number, got "
                f"{value}: do the samples of tuning.valid_corpora have it?"
            )
            raise TuningError(message)
        _check_ours(trial)
    return value


def _is_superfluous(trial: Trial, wanted: int) -> bool:
    """Return whether as many as are wanted run or have finished without this one.

    Two workers that ask at the same moment both see that one more is wanted.
    """
    states = (*_FINISHED, TrialState.RUNNING)
    others = trial.study.get_trials(deepcopy=False, states=states)
    return sum(other.number < trial.number for other in others) >= wanted


def _check_ours(trial: Trial) -> None:
    """Return if nobody has taken us for dead, as happens to a worker that was cut off."""
    if trial.storage.get_trial(trial._trial_id).state.is_finished():
        raise UpdateFinishedTrialError


@contextlib.contextmanager
def _observed(search: Search, trial: Trial, values: Mapping[str, Any]) -> Iterator[OnEpoch]:
    """Tell the observer what happens, and end the trial where it is not worth going on."""
    observer = search.observer
    name = observer.start(trial.number, values) if observer else ""
    trial.set_user_attr("run", name)

    def on_epoch(row: Mapping[str, Any]) -> None:
        if observer:
            observer.record(name, row)
        trial.report(float(row[search.parameters.measure]), int(row["epoch"]))
        if trial.should_prune():
            raise TrialPruned(f"after epoch {row['epoch']}")

    state = "failed"
    try:
        yield on_epoch
        state = "complete"
    except TrialPruned:
        state = "pruned"
        raise
    except NonFiniteLossError as error:
        # Bad parameters, which the sampler shall learn to leave alone: it ignores failures.
        state = "pruned"
        trial.set_user_attr("error", str(error))
        raise TrialPruned(str(error)) from error
    except UpdateFinishedTrialError as error:
        state = "killed"
        raise _GivenUpError("others took its worker for dead, and try it again") from error
    except KeyboardInterrupt:
        state = "killed"
        retry_trial(trial.study, trial.number, search.parameters.retries)
        raise
    finally:
        if observer:
            observer.end(name, state)


def _has_lost_parent() -> bool:
    parent = multiprocessing.parent_process()
    return parent is not None and not parent.is_alive()
