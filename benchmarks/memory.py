"""Measures the memory of `batch_inference` and `data_processing` over the number of images.

python benchmarks/memory.py [--counts 10000 100000 1000000] [--pipelines batch_inference ...]

Each run is a process of its own. Two figures of each: the most memory that was the process's own
(anonymous: it cannot be given back), and the most at all, with the pages of files that are mapped
(the system takes them back when it needs room). What is flat is the first.
"""

import argparse
import json
import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from batch import pipelines, synthetic
from bukva.core.evaluation.markdown import format_table
from load.report import describe_machine

HEAD = ["pipeline", "images", "own memory, MB", "with mapped files, MB", "seconds"]
_PERIOD_S = 0.02


@dataclass(frozen=True)
class Peak:
    """What one run took."""

    pipeline: str
    images: int
    own_mb: float
    total_mb: float
    seconds: float


def main() -> None:
    """Measure each pipeline at each size, print a table and what an image adds."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--counts", type=int, nargs="+", default=[10**4, 10**5, 10**6])
    parser.add_argument("--pipelines", nargs="+", default=list(pipelines.RUNS))
    parser.add_argument("--json", type=Path, help="where the figures are written too")
    asked = parser.parse_args()
    peaks = [measure(name, count) for name in asked.pipelines for count in asked.counts]
    print("\n".join(f"{name}: {value}" for name, value in describe_machine().items()))
    print(format_table(HEAD, [to_row(peak) for peak in peaks]))
    for name in asked.pipelines:
        print(describe_growth([peak for peak in peaks if peak.pipeline == name]))
    if asked.json:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        asked.json.write_text(json.dumps([asdict(peak) for peak in peaks], indent=2))


def measure(name: str, count: int) -> Peak:
    """Make the images, and run a pipeline over them in a process of its own."""
    with TemporaryDirectory(prefix="bukva_memory_") as folder:
        arrays = Path(folder) / "images.npy"
        synthetic.write_arrays(arrays, count)
        context = multiprocessing.get_context("spawn")
        reader, writer = context.Pipe(duplex=False)
        process = context.Process(target=run_watched, args=(name, arrays, writer))
        process.start()
        writer.close()  # here: so that a process that dies ends the waiting, too
        peak = Peak(name, count, *reader.recv())
        process.join()
    print(" | ".join(to_row(peak)), file=sys.stderr)
    return peak


def run_watched(name: str, arrays: Path, results: "multiprocessing.connection.Connection") -> None:
    """In the process that is measured: run, and send the peaks."""
    run: Callable[[Path], None] = pipelines.RUNS[name]
    own_kb: list[int] = [0]
    is_over = threading.Event()
    watch = threading.Thread(target=_watch, args=(own_kb, is_over))
    watch.start()
    start_s = time.perf_counter()
    run(arrays)
    seconds = time.perf_counter() - start_s
    is_over.set()
    watch.join()
    results.send((own_kb[0] / 1024, read_kb("VmHWM") / 1024, seconds))


def _watch(own_kb: list[int], is_over: threading.Event) -> None:
    """Note the most memory that is no file's; the system itself keeps only the peak of all."""
    while not is_over.wait(_PERIOD_S):
        own_kb[0] = max(own_kb[0], read_kb("RssAnon") + read_kb("RssShmem"))


def read_kb(name: str) -> int:
    """A line of what the system knows of this process."""
    status = Path(f"/proc/{os.getpid()}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(name))


def to_row(peak: Peak) -> list[str]:
    """The figures as a table shows them."""
    memory = [f"{peak.own_mb:,.0f}", f"{peak.total_mb:,.0f}"]
    return [peak.pipeline, f"{peak.images:,}", *memory, f"{peak.seconds:.1f}"]


def describe_growth(peaks: list[Peak]) -> str:
    """What an image adds, from the smallest run to the largest."""
    least, most = min(peaks, key=lambda peak: peak.images), max(peaks, key=lambda peak: peak.images)
    if least.images == most.images:
        return f"{least.pipeline}: one size only"
    growth = 1e6 * (most.own_mb - least.own_mb) / (most.images - least.images)
    return f"{least.pipeline}: {growth:,.0f} bytes of its own memory an image"


if __name__ == "__main__":
    main()
