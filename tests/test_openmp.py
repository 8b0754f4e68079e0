"""How OpenMP waits is settled before torch loads it; `OMP_DISPLAY_ENV` has it tell what it read."""

import os
import subprocess
import sys

import pytest
from kedro_project import PROJECT

LIBRARY = ["-c", "import bukva.core.training.fit"]
# Describing a pipeline imports its nodes, and these torch, as running it does.
KEDRO = ["-m", "kedro", "registry", "describe", "mnist_pretraining"]


def read_by_openmp(arguments: list[str], **variables: str) -> list[str]:
    """Return how OpenMP waits, of each of its libraries that a new process loads."""
    others = {k: v for k, v in os.environ.items() if not k.startswith(("OMP_", "GOMP_"))}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=PROJECT,
        env=others | {"OMP_DISPLAY_ENV": "verbose"} | variables,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [line.strip() for line in done.stderr.splitlines() if "GOMP_SPINCOUNT" in line]


@pytest.mark.parametrize("arguments", [LIBRARY, KEDRO], ids=["library", "kedro"])
def test_waiting_threads_soon_sleep(arguments: list[str]) -> None:
    found = read_by_openmp(arguments)
    assert found
    assert set(found) == {"GOMP_SPINCOUNT = '1000'"}


def test_who_sets_it_is_heard() -> None:
    assert read_by_openmp(LIBRARY, GOMP_SPINCOUNT="7") == ["GOMP_SPINCOUNT = '7'"]
    # Of a policy GNU's library makes a number by itself: none of ours may go before it.
    [active] = read_by_openmp(LIBRARY, OMP_WAIT_POLICY="active")
    assert int(active.split("'")[1]) > 1_000_000
