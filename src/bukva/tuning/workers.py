"""Several processes on one study."""

import logging
import multiprocessing

import torch

from bukva.errors import TuningError
from bukva.tuning.search import Search, work

logger = logging.getLogger(__name__)


def run_workers(search: Search) -> None:
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
        work(search)
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
    _check_exits([process.exitcode for process in processes])


def _work_with(search: Search, threads: int) -> None:
    torch.set_num_threads(threads)
    work(search)


def _check_exits(codes: list[int | None]) -> None:
    failed = [code for code in codes if code != 0]
    if len(failed) == len(codes):
        message = (
            f"Expected workers to finish the study, all {len(codes)} ended with {failed}: see "
            "above. The same command goes on with the study."
        )
        raise TuningError(message)
    if failed:
        logger.warning("%d of %d workers ended with %s", len(failed), len(codes), failed)
