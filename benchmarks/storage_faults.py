"""Kills a run during each save of each node, on local disk and on S3, and runs on.

python benchmarks/storage_faults.py [--stores disk S3] [--stages data_processing ...]

Real processes: the nodes of the main job with the sizes of the environment `test`, and rclone's S3
server behind a proxy that tells when an upload is on its way. Before each kill the store holds what
a former run left, made from other data; after it each file must be the former or the new one, and
when all is done the store must be what a run that nobody killed leaves. Exits with 1 if not.
"""

import argparse
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

# The faults, the servers and the runs are those of the tests.
sys.path.append(str(Path(__file__).parents[1] / "tests"))
sys.path.append(str(Path(__file__).parents[1] / "tests" / "serving"))

from fault_proxy import Fault, FaultProxy, run_proxy
from kedro.pipeline import Node
from killed_saves import (
    STAGES,
    Place,
    job_nodes,
    read_files,
    run_and_die,
    run_nodes,
    saved_files,
    write_files,
)
from object_store import run_store

FORMER, NEW = 1, 2
"""Seeds."""
# Seconds are measured: two runs never write the same.
CHANGING = ("_history.csv", "_learning_curves.png")

_Kill = Callable[[Place, Node, str], list[int | None]]


@dataclass
class Ledger:
    """What was found."""

    kills: int = 0
    missed: list[str] = field(default_factory=list)
    torn: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)


def main() -> None:
    """Print a table; exit with 1 on any fault."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stores", nargs="+", default=["disk", "S3"], choices=["disk", "S3"])
    parser.add_argument("--stages", nargs="+", default=list(STAGES), choices=STAGES)
    options = parser.parse_args()
    nodes = [node for node in job_nodes() if set(options.stages) & node.tags]
    with tempfile.TemporaryDirectory() as name:
        runs = {seed: run_undisturbed(Path(name) / str(seed), seed) for seed in (FORMER, NEW)}
        faults = 0
        for store in options.stores:
            ledger, seconds = Ledger(), time.monotonic()
            with opened(store, Path(name) / store) as (place, kill):
                walk(place, nodes, runs, kill, ledger)
            faults += report(store, ledger, time.monotonic() - seconds)
    sys.exit(1 if faults else 0)


def run_undisturbed(folder: Path, seed: int) -> dict[str, bytes]:
    """Return all files of a run that nobody kills."""
    folder.mkdir()
    place = Place(str(folder), {})
    in_a_process(run_nodes, place, [node.name for node in job_nodes()], seed)
    return read_files(place)


@contextmanager
def opened(store: str, folder: Path) -> Iterator[tuple[Place, _Kill]]:
    """Give a place to save in, and what kills the run of a node while it saves a file there."""
    folder.mkdir()
    if store == "disk":
        yield Place(str(folder), {}), kill_on_disk
        return
    with run_store(folder) as environment, run_proxy(environment["AWS_ENDPOINT_URL"]) as proxy:
        yield (
            Place("s3://bukva/tasks/glyph", environment | {"AWS_ENDPOINT_URL": proxy.url}),
            lambda place, node, path: kill_on_s3(proxy, place, node, path),
        )


def walk(
    place: Place,
    nodes: list[Node],
    runs: dict[int, dict[str, bytes]],
    kill: _Kill,
    ledger: Ledger,
) -> None:
    """Go from the former run's files to the new one's, node by node, each killed in each save."""
    mine = {path for node in nodes for paths in saved_files(node).values() for path in paths}
    write_files(place, runs[NEW] | {path: runs[FORMER][path] for path in mine})
    for node in nodes:
        saves = [path for paths in saved_files(node).values() for path in paths]
        for path in saves:
            write_files(place, {save: runs[FORMER][save] for save in saves})
            codes = kill(place, node, path)
            ledger.kills += len(codes)
            ledger.missed += [path for code in codes if code != -9]
            ledger.torn += find_other(read_files(place), runs[FORMER], runs[NEW])
        in_a_process(run_nodes, place, [node.name], NEW)
        print(f"{node.name}: killed in the saves of {', '.join(saves) or 'nothing'}", flush=True)
    ledger.other += find_other(read_files(place), runs[NEW])


def kill_on_disk(place: Place, node: Node, path: str) -> list[int | None]:
    """Kill it when half of the file is written, and before the whole of it gets its name."""
    moments = ("half", "before its name")
    return [in_a_process(run_and_die, place, [node.name], NEW, path, moment) for moment in moments]


def kill_on_s3(proxy: FaultProxy, place: Place, node: Node, path: str) -> list[int | None]:
    """Kill it when part of the object was sent, and before the store's answer arrives."""
    codes = []
    for fault in (Fault(up_bytes=1, is_silent=True), Fault(down_bytes=0, is_silent=True)):
        running = _context().Process(target=run_nodes, args=(place, [node.name], NEW))
        fault.request, fault.then = f"PUT .*{path}", running.kill
        proxy.faults[:] = [fault]
        running.start()
        running.join()
        codes.append(running.exitcode)
    proxy.faults.clear()
    return codes


def find_other(found: dict[str, bytes], *allowed: dict[str, bytes]) -> list[str]:
    """Return the paths whose content is none of those allowed, or that are missing."""
    return [
        path
        for path in allowed[0]
        if not path.endswith(CHANGING)
        and found.get(path) not in [contents[path] for contents in allowed]
    ]


def in_a_process(target: Callable[..., None], *arguments: object) -> int | None:
    """Run a function in a process of its own, and return how that ended."""
    running = _context().Process(target=target, args=arguments)
    running.start()
    running.join()
    return running.exitcode


def _context() -> multiprocessing.context.ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["bukva.pipeline_registry", "kedro.runner", "pytest"])
    return context


def report(store: str, ledger: Ledger, seconds: float) -> int:
    """Print what was found; return the number of faults."""
    faults = {
        "kills that hit nothing": ledger.missed,
        "neither former nor new": ledger.torn,
        "not as without kills in the end": ledger.other,
    }
    print(f"\n{store}: {ledger.kills} kills in {seconds:.0f} s")
    for name, paths in faults.items():
        print(f"{name:<36}{len(paths):>4}  {', '.join(sorted(set(paths)))}")
    return sum(map(len, faults.values()))


if __name__ == "__main__":
    main()
