"""Times a training alone and beside busy loops, here and at an earlier revision, by turns.

python benchmarks/busy_machine.py [--base d10ac51] [--rounds 3] [--epochs 16]

Both train the digits by `kedro run --pipeline=mnist_pretraining` on the embedded corpus, in folders
of their own; the loops, one for each core, and the earlier revision's files are gone at the end.
What else runs on the machine slows all of them: the ratios within one run count. Exits with 1 if
training beside the loops takes more than 1.9 times as long as alone, or alone more than 3 % longer
than at the earlier revision.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from revisions import checked_out

HERE = Path(__file__).parents[1]
BUSY_TO_ALONE, ALONE_TO_BASE = 1.9, 1.03


@contextmanager
def busy_loops(count: int) -> Iterator[None]:
    """Keep so many cores busy meanwhile."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def run_pipeline(project: Path, storage: Path, pipeline: str, params: str) -> float:
    """Run a pipeline of a project and return how many seconds it took."""
    kedro = [sys.executable, "-m", "kedro", "run", "--env=test", f"--pipelines={pipeline}"]
    own = {"PYTHONPATH": str(project / "src"), "BUKVA_TEST_STORAGE": str(storage)}
    # How OpenMP waits is what is compared: nothing may have been said about it.
    others = {k: v for k, v in os.environ.items() if not k.startswith(("OMP_", "GOMP_"))}
    started_s = time.monotonic()
    subprocess.run(  # noqa: S603 - no input
        [*kedro, f"--params={params}"], cwd=project, env=others | own, check=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return time.monotonic() - started_s


def measure(
    projects: dict[str, Path], folder: Path, rounds: int, epochs: int
) -> dict[tuple[str, int], float]:
    """Return the shortest time in seconds, by project and number of busy loops."""
    # The default network at its own size; only the environment's folders are those of the tests.
    sizes = {"width": 24, "max_epochs": epochs, "steps_per_epoch": 6, "batch_size": 256}
    params = ",".join(f"mnist_pretraining.{name}={value}" for name, value in sizes.items())
    storages = {name: folder / f"storage of {name}" for name in projects}
    for name, project in projects.items():
        run_pipeline(project, storages[name], "data_processing", "embedded.samples_per_symbol=20")
    cores = len(os.sched_getaffinity(0))
    times_s: defaultdict[tuple[str, int], list[float]] = defaultdict(list)
    for number in range(rounds):
        for loops in (0, cores):
            for name in sorted(projects, reverse=bool(number % 2)):
                with busy_loops(loops):
                    took_s = run_pipeline(
                        projects[name], storages[name], "mnist_pretraining", params
                    )
                times_s[name, loops].append(took_s)
                print(f"round {number + 1}: {name}, {loops} loops: {took_s:.1f} s", flush=True)
    return {key: min(values) for key, values in times_s.items()}


def main() -> None:
    """Measure, print the table and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", default="d10ac51")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=16)
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        checked_out(arguments.base, Path(folder) / "base") as base,
    ):
        projects = {arguments.base: base, "here": HERE}
        best_s = measure(projects, Path(folder), arguments.rounds, arguments.epochs)
    alone, beside = sorted({loops for _, loops in best_s})
    print(
        f"\n{'revision':12}{'alone':>10}{'beside':>10}{'ratio':>8}   load {os.getloadavg()[0]:.1f}"
    )
    ratios = {name: best_s[name, beside] / best_s[name, alone] for name in projects}
    for name, ratio in ratios.items():
        times = f"{best_s[name, alone]:>8.1f} s{best_s[name, beside]:>8.1f} s"
        print(f"{name:12}{times}{ratio:>8.2f}")
    slower = best_s["here", alone] / best_s[arguments.base, alone]
    print(f"beside to alone: {ratios['here']:.2f}, at most {BUSY_TO_ALONE}")
    print(f"alone, here to {arguments.base}: {slower:.2f}, at most {ALONE_TO_BASE}")
    sys.exit(ratios["here"] > BUSY_TO_ALONE or slower > ALONE_TO_BASE)


if __name__ == "__main__":
    main()
