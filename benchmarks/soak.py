"""Keeps the service at half its capacity for long: python benchmarks/soak.py --minutes 30.

While it is asked, 5 % of it badly, it changes its model every minute and stores corrections. At the
end of each minute all connections are closed and memory, open files and threads are counted. It
exits with 1 if an answer was wrong or missing, or if any of the three grew.
"""

import argparse
import asyncio
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import numpy as np
import uvloop

from bukva.tasks.glyph.charset import SYMBOLS
from load.generator import Request, Tally, ask_at_rate
from load.images import ask_badly, correct, mix
from load.lab import Lab, open_lab, tell_apart, wait_until
from load.registry import Registry
from load.report import Report, describe_machine
from load.servers import Cores, Server, start_service

_SWAPS = 3
_CONNECTIONS = 32
_SETTLED_S = 600.0  # until then caches and pools may fill
_QUIET_S = 0.5
_COMING_AND_GOING = 8  # the pools of a version that was left go when garbage is collected


@dataclass(frozen=True)
class Sample:
    """What the service holds when nobody asks."""

    at_s: float
    memory_mb: float
    files: int
    threads: int


async def soak(lab: Lab, minutes: float) -> None:
    """Loads the service for so many minutes, and reports what it held."""
    window_s = min(60.0, 60 * minutes / 4)
    registry = lab.registry
    answered_by: set[str] = set()
    stored: set[str] = set()
    good = tell_apart(registry, lab.pages, answered_by)
    versions = cycle([*list(registry.sound)[1:], "1"])
    samples: list[Sample] = []
    total, answers = Tally(), Counter[int]()
    with start_service(registry, lab.folder, lab.cores, BUKVA_ALIAS_POLL_S=0.5) as server:
        rate = await _measure_capacity(lab, server, good, min(10.0, window_s)) / 2
        lab.report.add("asked a second", rate)
        for window in range(round(60 * minutes / window_s)):
            feedback = _make_corrections(lab, window, stored)
            requests = mix((good, 93), (ask_badly(), 5), (feedback, 2))
            load = ask_at_rate([server.port], requests, rate, window_s, _CONNECTIONS)
            changed = _change(registry, server, next(versions))
            tally, _ = await asyncio.gather(load, changed)
            total.wrong.update(tally.wrong)
            total.unsent += tally.unsent
            answers.update({status: tally.count(status=status) for _, status in tally.timings})
            await asyncio.sleep(_QUIET_S)
            samples.append(_look_at(server, (window + 1) * window_s))
            print(f"  {samples[-1]}, 99 % within {tally.percentile_ms(99):.0f} ms", flush=True)
        files = len(list((lab.folder / "feedback").glob("*.json")))
    for status, times in sorted(answers.items()):
        lab.report.add(f"answers with {status}", times)
    lab.report.require_right("at half load", total)
    lab.report.add("not sent, all connections waiting", total.unsent, most=0)
    lab.report.require("versions that answered", len(answered_by), len(registry.sound))
    lab.report.require("corrections that are not there once", files - len(stored))
    _report_growth(lab.report, samples)


async def _measure_capacity(
    lab: Lab, server: Server, requests: Sequence[Request], seconds: float
) -> float:
    tally = await lab.load([server], requests, _CONNECTIONS, seconds)
    lab.report.require_right("at full load", tally)
    return tally.rate(seconds)


def _make_corrections(lab: Lab, window: int, stored: set[str]) -> list[Request]:
    return [
        correct(page, symbol, f"soak-{window:06d}-{place:06d}", stored)
        for place, (page, symbol) in enumerate(zip(lab.pages, SYMBOLS, strict=True))
    ]


async def _change(registry: Registry, server: Server, version: str) -> None:
    await asyncio.to_thread(registry.move_alias, version)
    await wait_until(lambda: server.get("/readyz")["model"]["version"] == version)


def _look_at(server: Server, at_s: float) -> Sample:
    process = server.process
    return Sample(at_s, round(server.memory_mb, 1), process.num_fds(), process.num_threads())


def _report_growth(report: Report, samples: Sequence[Sample]) -> None:
    """Compares what was held at the end with what was held once it had settled."""
    settled_s = min(_SETTLED_S, samples[-1].at_s / 2)
    later = [sample for sample in samples if sample.at_s >= settled_s]
    hours = [sample.at_s / 3600 for sample in later]
    memory_mb = [sample.memory_mb for sample in later]
    report.add("memory at the end, MB", memory_mb[-1])
    report.add("growth of memory once settled, MB", memory_mb[-1] - memory_mb[0], most=50)
    if samples[-1].at_s >= 2 * _SETTLED_S:  # a slope of less time is noise
        report.add("growth of memory, MB/h", np.polyfit(hours, memory_mb, 1)[0], most=5)
    half = len(later) // 2
    for name in ("files", "threads"):
        counts = [getattr(sample, name) for sample in later]
        growth = max(counts[half:]) - max(counts[:half] or counts)
        report.add(f"growth of {name} once settled", growth, most=_COMING_AND_GOING)


def main(arguments: Sequence[str] | None = None) -> Report:
    """Runs it; returns its figures."""
    asked = make_parser().parse_args(arguments)
    cores = Cores.choose(asked.server_cores, asked.generator_cores)
    report = Report(describe_machine() | {"cores": str(cores), "minutes": f"{asked.minutes:g}"})
    report.print_head()
    with open_lab(cores, report, swaps=_SWAPS) as lab:
        uvloop.run(soak(lab, asked.minutes))
    report.print_tail()
    if asked.json:
        report.write(asked.json)
    return report


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("--minutes", type=float, default=30, help="how long (30)")
    parser.add_argument("--server-cores", help="such as 0,1; all but the last one")
    parser.add_argument("--generator-cores", help="such as 1; the last one")
    parser.add_argument("--json", type=Path, help="where the figures are written too")
    return parser


if __name__ == "__main__":
    sys.exit(0 if main().is_met else 1)
