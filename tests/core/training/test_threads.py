"""How many threads torch takes, beside loops that keep every core busy."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
import torch

from bukva.core.training.threads import cores_left_by_others

CORES = len(os.sched_getaffinity(0))
pytestmark = pytest.mark.skipif(CORES == 1, reason="one core can be shared in one way only")


@pytest.fixture(autouse=True)
def nobody_chose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    torch.set_num_threads(CORES)


@pytest.fixture
def busy_cores() -> Iterator[None]:
    loop = [sys.executable, "-c", "print(flush=True)\nwhile True: pass"]
    loops = [subprocess.Popen(loop, stdout=subprocess.PIPE) for _ in range(CORES)]
    for each in loops:
        each.stdout.readline()
    yield
    for each in loops:
        each.kill()
        each.communicate()


@pytest.mark.usefixtures("busy_cores")
def test_one_thread_beside_busy_cores_and_all_again_afterwards() -> None:
    with cores_left_by_others() as choose:
        choose()
        assert torch.get_num_threads() == 1
        choose()  # too early to tell anything
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == CORES


@pytest.mark.usefixtures("busy_cores")
def test_a_training_beside_busy_cores_takes_one_thread(run_fit) -> None:
    taken = []
    run_fit(on_epoch=lambda _: taken.append(torch.get_num_threads()))
    assert taken == [1] * 5
    assert torch.get_num_threads() == CORES


@pytest.mark.usefixtures("busy_cores")
def test_a_number_in_the_environment_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", str(CORES))
    with cores_left_by_others() as choose:
        choose()
        assert torch.get_num_threads() == CORES


@pytest.mark.usefixtures("busy_cores")
def test_a_number_that_the_process_chose_holds() -> None:
    torch.set_num_threads(CORES + 1)
    with cores_left_by_others() as choose:
        choose()
        assert torch.get_num_threads() == CORES + 1
