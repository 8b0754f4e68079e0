"""Real processes: several at a time, failures, a stop, and one at a time for each job."""

import os
import sys
from contextlib import closing
from pathlib import Path

import pytest
from serving_servers import wait_for

from bukva.errors import ExperimentError
from bukva.experiments.workers import Job, count_threads, is_at_work, run_jobs

# Says when it starts and ends, into a file that all jobs share.
NOTING = "echo start >> {0}; sleep 0.3; echo end >> {0}"


def shell(name: str, script: str, folder: Path, **variables: str) -> Job:
    return Job(name, ("/bin/sh", "-c", script), variables, folder / name / "log.txt")


@pytest.mark.parametrize("workers", [1, 2])
def test_so_many_are_at_work_at_the_same_time(tmp_path: Path, workers: int) -> None:
    notes = tmp_path / "notes"
    jobs = [shell(f"job{place}", NOTING.format(notes), tmp_path) for place in range(4)]
    ended = list(run_jobs(jobs, workers))
    assert {item.name for item in ended} == {"job0", "job1", "job2", "job3"}
    assert all(item.error == () for item in ended)
    lines, depth, deepest = notes.read_text().split(), 0, 0
    for line in lines:
        depth += 1 if line == "start" else -1
        deepest = max(deepest, depth)
    assert deepest == workers


def test_a_failed_job_gives_its_last_lines_and_stops_no_other(tmp_path: Path) -> None:
    bad = shell("bad", "seq 20; echo; echo why >&2; exit 3", tmp_path)
    good = shell("good", 'echo "$GREETING"', tmp_path, GREETING="hello")
    ended = {item.name: item for item in run_jobs([bad, good], workers=1)}
    assert ended["bad"].error == ("16", "17", "18", "19", "20", "why", "(exit code 3)")
    assert ended["good"].error == ()
    assert good.log.read_text() == "hello\n"


def test_a_job_is_made_when_a_worker_is_free_for_it(tmp_path: Path) -> None:
    made = []

    def jobs():
        for name in ("first", "second"):
            made.append(name)
            yield shell(name, "true", tmp_path)

    with closing(run_jobs(jobs(), workers=1)) as running:
        assert next(running).name == "first"
        assert made == ["first"]
        assert next(running).name == "second"


def test_whoever_ends_the_loop_stops_what_is_at_work(tmp_path: Path) -> None:
    child = "import time; print('here', flush=True); time.sleep(60)"
    long = shell("long", f'"{sys.executable}" -c "{child}"; true', tmp_path)
    with closing(run_jobs([shell("short", "true", tmp_path), long], workers=2)) as running:
        assert next(running).name == "short"
        wait_for(lambda: long.log.read_text() == "here\n")
        assert is_at_work(long.log)
    # The shell's own child is gone as well: it would still hold the log.
    wait_for(lambda: not is_at_work(long.log))


def test_nobody_joins_a_job_that_is_at_work(tmp_path: Path) -> None:
    job = shell("one", "echo mine; sleep 60", tmp_path)
    with closing(run_jobs([shell("short", "sleep 0.2", tmp_path), job], workers=2)) as running:
        next(running)
        with pytest.raises(ExperimentError, match=r"one/log\.txt"):
            list(run_jobs([job], workers=1))
        assert job.log.read_text() == "mine\n"


def test_cores_are_shared_out() -> None:
    assert count_threads(1) == os.cpu_count()
    assert count_threads(10_000) == 1
