"""Sends every kind of bad input to the service, and says whether each is answered as listed.

python benchmarks/bad_inputs.py [--url http://127.0.0.1:8000]

Without an address it starts a service of its own, with the released model.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from bukva.core.evaluation.markdown import format_table

# The kinds are those of the tests.
sys.path.append(str(Path(__file__).parents[1] / "tests" / "serving"))

from bad_input_kinds import Answer, BadInput, bad_inputs, find_faults
from released_service import run_released

HEAD = ["group", "kinds", "as listed", "5xx", "slowest, ms", "which"]


def main() -> int:
    """Print the faults and a table; return 1 if there is any fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", help="of a service that runs")
    groups = defaultdict(list)
    with open_service(parser.parse_args().url) as http:
        for kind in bad_inputs():
            groups[kind.group].append((kind, *ask(http, kind)))
    print(format_table(HEAD, [summarise(*group) for group in groups.items()]))
    everything = [result for results in groups.values() for result in results]
    print(format_table(HEAD, [summarise("all", everything)]).splitlines()[-1])
    return int(any(faults for _, _, faults in everything))


@contextmanager
def open_service(url: str | None) -> Iterator[httpx.Client]:
    """A client of the service at an address, or of one that is started."""
    if url is not None:
        with httpx.Client(base_url=url, timeout=30) as http:
            yield http
        return
    patience = {"BUKVA_HEADER_TIMEOUT_S": "1", "BUKVA_BODY_TIMEOUT_S": "1"}
    with TemporaryDirectory() as folder, run_released(Path(folder), **patience) as server:
        yield server.http


def ask(http: httpx.Client, kind: BadInput) -> tuple[Answer, list[str]]:
    """The answer to one kind, and what is wrong with it; a connection that breaks is wrong too."""
    try:
        twin = kind.send_twin(http) if kind.send_twin else None
        answer = kind.send(http)
        faults = find_faults(answer, kind, twin)
    except (OSError, httpx.TransportError) as error:
        answer, faults = Answer(0, b"", 0.0), [f"expected an answer, got {error!r}"]
    for fault in faults:
        print(f"{kind.group}: {kind.name}: {fault}", file=sys.stderr)
    return answer, faults


def summarise(group: str, results: list[tuple[BadInput, Answer, list[str]]]) -> list[str]:
    """One row of the table."""
    slowest, answer, _ = max(results, key=lambda result: result[1].seconds)
    return [
        group,
        str(len(results)),
        str(sum(not faults for _, _, faults in results)),
        str(sum(answer.status >= 500 for _, answer, _ in results)),
        f"{1000 * answer.seconds:.0f}",
        slowest.name,
    ]


if __name__ == "__main__":
    sys.exit(main())
