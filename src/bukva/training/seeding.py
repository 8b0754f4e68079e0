"""Seeding torch without disturbing whoever called."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Run the block with torch's generators seeded, and give back their former state after it."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield
