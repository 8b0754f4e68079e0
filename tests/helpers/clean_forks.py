"""Processes that are there at once: a new one would import torch for seconds."""

import multiprocessing
from multiprocessing.context import ForkServerContext


def clean_forks() -> ForkServerContext:
    """Forks of a process that has torch and no threads: a fork of pytest's own may hang."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["bukva.core.tuning.work"])
    return context
