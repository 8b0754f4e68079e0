"""Measures the service under load: python benchmarks/service_load.py [one many overload ...].

It starts the service by itself, with the released model in a registry of its own, asks over HTTP,
checks every answer against what the model says when it is called directly, and prints each figure
beside its target. It exits with 1 if an answer was wrong or missing; a missed target is printed.
"""

import argparse
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import uvloop

from load import speed, trouble
from load.lab import Lab, open_lab
from load.report import Report, describe_machine
from load.servers import Cores

BENCHMARKS: dict[str, Callable[[Lab], Awaitable[None]]] = {
    function.__name__: function
    for function in (
        speed.one, speed.many, speed.overload, speed.start,
        trouble.swaps, trouble.mixed, trouble.slow,
    )
}  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> Report:
    """Runs what is asked for; returns its figures."""
    asked = make_parser().parse_args(arguments)
    cores = Cores.choose(asked.server_cores, asked.generator_cores)
    conditions = describe_machine() | {
        "cores": str(cores),
        "load": f"{asked.seconds:g} s, {asked.connections} connections unless named, "
        f"{asked.workers} process(es) of the service",
    }
    report = Report(conditions)
    report.print_head()
    names = asked.benchmarks or list(BENCHMARKS)
    sizes = {name: getattr(asked, name) for name in ("seconds", "connections", "workers")}
    if "swaps" in names:  # the other benchmarks need no further versions
        sizes |= {"swaps": asked.swaps, "refused": asked.refused}
    with open_lab(cores, report, **sizes) as lab:
        for name in names:
            uvloop.run(BENCHMARKS[name](lab))
    report.print_tail()
    if asked.json:
        report.write(asked.json)
    return report


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    names = ", ".join(
        f"{name} ({function.__doc__.partition(chr(10))[0].rstrip('.').lower()})"
        for name, function in BENCHMARKS.items()
    )
    parser.add_argument("benchmarks", nargs="*", choices=[*BENCHMARKS, []], help=names)
    parser.add_argument("--seconds", type=float, default=10, help="of each load (10)")
    parser.add_argument("--connections", type=int, default=32, help="at the same time (32)")
    parser.add_argument("--workers", type=int, default=1, help="processes of the service (1)")
    parser.add_argument("--swaps", type=int, default=20, help="new versions under load (20)")
    parser.add_argument("--refused", type=int, default=5, help="broken versions under load (5)")
    parser.add_argument("--server-cores", help="such as 0,1; all but the last one")
    parser.add_argument("--generator-cores", help="such as 1; the last one")
    parser.add_argument("--json", type=Path, help="where the figures are written too")
    return parser


if __name__ == "__main__":
    sys.exit(0 if main().is_right else 1)
