"""A training that is killed goes on where it was, to the same weights."""

import os
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from job_storage import Storage
from kedro_project import PROJECT, load_catalog, run_pipeline, storage_at

FINETUNING = {"max_epochs": 12, "head_epochs": 1, "ema_decay": 0.8}


def weights_of(storage: Storage) -> str:
    with storage_at(storage.path):
        digest: str = load_catalog("test").load("finetuning.model").digest()
    return digest


@pytest.fixture(scope="module")
def killed(copy_of_job: Callable[[], Storage]) -> Storage:
    """A storage in which finetuning was killed after its first epochs."""
    storage = copy_of_job()
    params = ",".join(f"finetuning.{name}={value}" for name, value in FINETUNING.items())
    command = [sys.executable, "-m", "kedro", "run", "--pipeline=finetuning", "--env=test"]
    checkpoint = storage.path / "06_models" / "finetuning" / "checkpoint.pt"
    assert not checkpoint.exists()
    with subprocess.Popen(
        [*command, f"--params={params}"],
        cwd=PROJECT,
        env={**os.environ, "BUKVA_TEST_STORAGE": str(storage.path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        deadline_s = time.monotonic() + 120
        while not checkpoint.exists():
            assert process.poll() is None, "it ended before it could be killed"
            assert time.monotonic() < deadline_s
            time.sleep(0.005)
        process.kill()
    assert process.returncode == -9
    return storage


def test_a_killed_training_goes_on_to_the_same_weights(
    job: Storage,
    killed: Storage,
    copy_of_job: Callable[[], Storage],
    capfd: pytest.CaptureFixture[str],
) -> None:
    checkpoint = killed.path / "06_models" / "finetuning" / "checkpoint.pt"
    # The former model is whole: nothing of the killed run replaced it.
    assert weights_of(killed) == weights_of(job)
    assert checkpoint.exists()
    capfd.readouterr()
    run_pipeline("finetuning", killed.path, finetuning=FINETUNING)
    printed = "".join(capfd.readouterr())
    assert "going on after epoch" in printed
    assert "epoch 1/13" not in printed
    assert not checkpoint.exists()
    uninterrupted = copy_of_job()
    run_pipeline("finetuning", uninterrupted.path, finetuning=FINETUNING)
    assert weights_of(killed) == weights_of(uninterrupted) != weights_of(job)
