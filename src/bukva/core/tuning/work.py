"""Workers of a shared study: each takes one trial after the other until none is left."""

import logging
import multiprocessing
import time
from collections.abc import Sequence
from typing import Final, Protocol

import torch
from optuna import TrialPruned
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial, Trial, TrialState

from bukva.core.tuning.parameters import SharingParameters
from bukva.core.tuning.study import SharedStudy
from bukva.errors import TuningError

logger = logging.getLogger(__name__)

_POLL_S: Final = 0.5


class Work(Protocol):
    """What is done on a study; sent to worker processes, so it is data."""

    @property
    def parameters(self) -> SharingParameters:
        """How workers share the study."""

    def open(self) -> SharedStudy:
        """Return the study."""

    def count_left(self, trials: Sequence[FrozenTrial]) -> int:
        """Return how many trials are still to end, those that run included."""

    def run(self, study: SharedStudy, trial: Trial) -> float:
        """Do a trial and return its value.

        Raises:
            GivenUpError: If it is not to be finished.
            StoppedTrialError: If it was stopped, and is to be tried again.
            TrialPruned: If it is not worth going on.
            UpdateFinishedTrialError: If others took its worker for dead.
        """


class GivenUpError(Exception):
    """A trial failed, or is not ours to finish; the worker goes on with the next one."""


class StoppedTrialError(Exception):
    """A trial was stopped from outside, and is tried again; the worker goes on."""


def work_through(work: Work) -> None:
    """Do trials until none is left, or until whoever started this process is gone.

    Trials of other workers count; one that falls silent is tried again by whoever sees it first.

    Raises:
        TuningError: If the study cannot be opened, or its database went away for longer than
            the parameters allow.
    """
    study = work.open()
    parent = multiprocessing.parent_process()
    while parent is None or parent.is_alive():
        study.retry_silent()
        trials = study.trials()
        left = work.count_left(trials)
        if not left:
            return
        if sum(trial.state == TrialState.RUNNING for trial in trials) < left:
            _try_one(work, study)
        else:
            # The last trials are with others: one of these may yet be killed.
            time.sleep(_POLL_S)


def _try_one(work: Work, study: SharedStudy) -> None:
    """Run the next trial; that it is given up on the way ends nothing else."""
    trial, state, value = study.ask(), TrialState.FAIL, None
    try:
        with study.kept_alive(trial):
            value = work.run(study, trial)
        state = TrialState.COMPLETE
        logger.info("trial %d: %.4g", trial.number, value)
    except TrialPruned as reason:
        state = TrialState.PRUNED
        logger.info("trial %d was stopped %s", trial.number, reason)
    except UpdateFinishedTrialError:
        logger.warning("trial %d is given up: others took its worker for dead", trial.number)
    except GivenUpError as reason:
        logger.warning("trial %d is given up: %s", trial.number, reason)
    except (KeyboardInterrupt, StoppedTrialError) as reason:
        study.retry(trial.number)
        if isinstance(reason, KeyboardInterrupt):
            raise
    finally:
        study.tell(trial, state, value if state == TrialState.COMPLETE else None)


def run_workers(work: Work) -> None:
    """Work through a study with as many processes as the parameters say.

    The processes share the cores. One that dies takes nobody with it: the others try its trial
    again.

    Raises:
        TuningError: If the study cannot be opened, or every process failed.
    """
    count = work.parameters.workers
    # Opened before anybody else: what is wrong with it is said here, and its tables are made.
    work.open()
    if count == 1:
        work_through(work)
        return
    # Spawned: a fork of a process whose torch has threads may hang.
    context = multiprocessing.get_context("spawn")
    threads = max(1, torch.get_num_threads() // count)
    processes = [
        context.Process(target=_work_with, args=(work, threads), daemon=True) for _ in range(count)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    codes = [process.exitcode for process in processes]
    failed = [code for code in codes if code != 0]
    if len(failed) == count:
        message = (
            f"Expected workers to finish the study, all {count} ended with {failed}: see above. "
            "The same command goes on with the study."
        )
        raise TuningError(message)
    if failed:
        logger.warning("%d of %d workers ended with %s", len(failed), count, failed)


def _work_with(work: Work, threads: int) -> None:
    torch.set_num_threads(threads)
    work_through(work)
