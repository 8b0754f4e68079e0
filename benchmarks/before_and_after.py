"""Compares the service with that of another revision: python benchmarks/before_and_after.py.

It checks the other revision out into a temporary folder (`git worktree`), installs the released
model with the code of each into a registry of its own, starts both services and asks them for the
same grey PNG files of 200 x 200 pixels by turns. Every answer of this revision is checked; the
other has a model of its own, of which only missing answers count. What counts is the ratio: both
run on the same machine at the same time of day. Where other programs run there too, look at the
processor time a request, which they change least.
"""

import argparse
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import uvloop

from load.generator import Request, ask_in_turn
from load.images import ask_service, draw_pages
from load.registry import Registry, answers_of
from load.report import describe_machine
from load.servers import Cores, Server, start_service
from revisions import checked_out

FORMER = "d10ac51"
_ROOT = Path(__file__).parents[1]
_MANY = 32


class Turn(NamedTuple):
    """What was measured of one service in one turn."""

    rate: float
    p50_ms: float
    processor_ms: float
    wrong: int
    missing: int

    def faults(self, name: str) -> int:
        """How many answers were missing, or not this revision's."""
        return self.missing + (self.wrong if name == "after" else 0)


def main(arguments: Sequence[str] | None = None) -> bool:
    """Measures and prints; returns whether no answer was wrong or missing."""
    asked = make_parser().parse_args(arguments)
    cores = Cores.choose(asked.server_cores, asked.generator_cores)
    for name, value in describe_machine().items():
        print(f"{name}: {value}")
    print(f"{cores}; {asked.rounds} rounds of {asked.seconds:g} s each")
    pages = draw_pages()
    answers = answers_of(1.0, pages)
    requests = [
        ask_service(page, {"1": answer}) for page, answer in zip(pages, answers, strict=True)
    ]
    turns: dict[tuple[str, int], list[Turn]] = defaultdict(list)
    wrong = 0
    with (
        TemporaryDirectory(prefix="bukva-before-") as folder,
        checked_out(asked.revision, Path(folder) / "source") as former,
        cores.pinned(),
        serving(former, Path(folder) / "before", cores) as before,
        serving(_ROOT, Path(folder) / "after", cores) as after,
    ):
        services = {"before": before, "after": after}
        print(f"until ready, s: before {before.start_s:.1f}, after {after.start_s:.1f}")
        for name, server in services.items():
            wrong += measure(server, requests, 4, min(2.0, asked.seconds)).faults(name)
            print(f"memory, MB: {name} {server.memory_mb:.0f}")
        for _ in range(asked.rounds):
            for connections in (1, _MANY):
                for name, server in services.items():
                    turn = measure(server, requests, connections, asked.seconds)
                    turns[name, connections].append(turn)
                    wrong += turn.faults(name)
    for connections in (1, _MANY):
        show(connections, turns["before", connections], turns["after", connections])
    print(f"wrong or missing answers: {wrong}")
    return wrong == 0


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("--revision", default=FORMER, help=f"to compare with ({FORMER})")
    parser.add_argument("--seconds", type=float, default=5, help="of each turn (5)")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each service (5)")
    parser.add_argument("--server-cores", help="such as 0,1; all but the last one")
    parser.add_argument("--generator-cores", help="such as 1; the last one")
    return parser


@contextmanager
def serving(source: Path, folder: Path, cores: Cores) -> Iterator[Server]:
    """The service of a checkout with the released model, which it has installed itself."""
    folder.mkdir()
    own = {"PYTHONPATH": str(source / "src"), "BUKVA_TEST_STORAGE": str(folder)}
    command = [sys.executable, "-m", "bukva", "release", "install", "--env=test"]
    subprocess.run(  # noqa: S603
        command, cwd=source, env=os.environ | own, check=True, capture_output=True
    )
    registry = Registry(f"sqlite:///{folder}/mlflow.db", {"1": 1.0}, {})
    cache = {"BUKVA_MODEL_CACHE": folder / "cache", "BUKVA_DEADLINE_S": 30}
    with start_service(registry, folder, cores, **own, **cache) as server:
        yield server


def measure(server: Server, requests: Sequence[Request], connections: int, seconds: float) -> Turn:
    """What is measured of one service."""
    used_before = server.process.cpu_times()
    tally = uvloop.run(ask_in_turn([server.port], requests, connections, seconds))
    used = server.process.cpu_times()
    used_s = used.user + used.system - used_before.user - used_before.system
    count = max(tally.count(status=200), 1)
    return Turn(
        rate=tally.rate(seconds),
        p50_ms=tally.percentile_ms(50),
        processor_ms=1e3 * used_s / count,
        wrong=sum(tally.wrong.values()),
        missing=tally.count() - tally.count(status=200),
    )


def show(connections: int, before: Sequence[Turn], after: Sequence[Turn]) -> None:
    """Prints medians over the turns, and the median of the ratios of each pair."""
    for name in ("rate", "p50_ms", "processor_ms"):
        former = np.array([getattr(turn, name) for turn in before])
        latter = np.array([getattr(turn, name) for turn in after])
        print(
            f"{connections:>2} connections, {name:<13} before {np.median(former):8.2f}  "
            f"after {np.median(latter):8.2f}  ratio {np.median(latter / former):.2f}"
        )


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
