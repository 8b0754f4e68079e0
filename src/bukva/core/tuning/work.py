"""Workers of a shared study: each takes one trial after the other until none is left."""

import logging
import multiprocessing
import time
from typing import TYPE_CHECKING, Final

import torch
from optuna import TrialPruned
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import TrialState

from bukva.core.tuning.study import SharedStudy
from bukva.errors import TuningError

if TYPE_CHECKING:
    from bukva.core.tuning.search import Search

logger = logging.getLogger(__name__)

_POLL_S: Final = 0.5


class GivenUpError(Exception):
    """A trial failed, or is not ours to finish; the worker goes on with the next one."""


def work_through(search: "Search") -> None:
    """Do trials until none is left, or until whoever started this process is gone.

    Trials of other workers count; one that falls silent is tried again by whoever sees it first.

    Raises:
        TuningError: If the study cannot be opened, or its database went away for longer than
            the parameters allow.
    """
    study = search.open()
    parent = multiprocessing.parent_process()
    while parent is None or parent.is_alive():
        study.retry_silent()
        trials = study.trials()
        left = search.count_left(trials)
        if not left:
            return
        if sum(trial.state == TrialState.RUNNING for trial in trials) < left:
            _try_one(search, study)
        else:
            # The last trials are with others: one of these may yet be killed.
            time.sleep(_POLL_S)


def _try_one(search: "Search", study: SharedStudy) -> None:
    """Run the next trial; that it is given up on the way ends nothing else."""
    trial, state, value = study.ask(), TrialState.FAIL, None
    try:
        with study.kept_alive(trial):
            value = search.run(study, trial)
        state = TrialState.COMPLETE
        logger.info("trial %d: %.4g", trial.number, value)
    except TrialPruned as reason:
        state = TrialState.PRUNED
        logger.info("trial %d was stopped %s", trial.number, reason)
    except UpdateFinishedTrialError:
        logger.warning("trial %d is given up: others took its worker for dead", trial.number)
    except GivenUpError as reason:
        logger.warning("trial %d is given up: %s", trial.number, reason)
    except KeyboardInterrupt:
        study.retry(trial.number)
        raise
    finally:
        study.tell(trial, state, value if state == TrialState.COMPLETE else None)


def run_workers(search: "Search") -> None:
    """Work through a study with as many processes as the parameters say.

    The processes share the cores. One that dies takes nobody with it: the others try its trial
    again.

    Raises:
        TuningError: If the study cannot be opened, or every process failed.
    """
    count = search.parameters.workers
    # Opened before anybody else: what is wrong with it is said here, and its tables are made.
    search.open()
    if count == 1:
        work_through(search)
        return
    # Spawned: a fork of a process whose torch has threads may hang.
    context = multiprocessing.get_context("spawn")
    threads = max(1, torch.get_num_threads() // count)
    processes = [
        context.Process(target=_work_with, args=(search, threads), daemon=True)
        for _ in range(count)
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


def _work_with(search: "Search", threads: int) -> None:
    torch.set_num_threads(threads)
    work_through(search)
