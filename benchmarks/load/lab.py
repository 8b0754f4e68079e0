"""One run of benchmarks: a registry, cores, a report, and requests with their right answers."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from load.generator import Request, Tally, ask_in_turn
from load.images import TOLERANCE, ask_service, draw_pages, numbers_of
from load.registry import Registry, answers_of, make_registry
from load.report import Report
from load.servers import Cores, Server


@dataclass(frozen=True)
class Lab:
    """What every benchmark is given.

    Attributes:
        folder: For what servers write.
        cores: Which of them servers and generator use.
        report: Where figures go.
        seconds: How long a load lasts.
        connections: How many of them, where a benchmark does not say.
        workers: Processes of the service, and of `mlflow models serve`.
        swaps: Versions to change to under load.
        refused: Versions to refuse under load.
    """

    folder: Path
    cores: Cores
    report: Report
    seconds: float = 10.0
    connections: int = 32
    workers: int = 1
    swaps: int = 0
    refused: int = 0

    @cached_property
    def registry(self) -> Registry:
        """With the released model, and the versions to change to and to refuse."""
        return make_registry(self.folder, 1 + self.swaps, self.refused)

    @cached_property
    def pages(self) -> list[bytes]:
        """An image of each symbol."""
        return draw_pages()

    @cached_property
    def answers(self) -> list[dict[str, Any]]:
        """What the released model says of each."""
        return answers_of(1.0, self.pages)

    def requests(self, *, may_refuse: bool = False) -> list[Request]:
        """A request for each image, to be answered by the released model."""
        return [
            ask_service(page, {"1": answer}, may_refuse=may_refuse)
            for page, answer in zip(self.pages, self.answers, strict=True)
        ]

    async def warm_up(self, servers: Sequence[Server], requests: Sequence[Request]) -> None:
        """Asks for each image once or more, so that nothing is done for the first time after."""
        await self.load(servers, requests, connections=4, seconds=min(1.0, self.seconds))

    async def load(
        self,
        servers: Sequence[Server],
        requests: Sequence[Request],
        connections: int | None = None,
        seconds: float | None = None,
    ) -> Tally:
        """Asks in turn over so many connections."""
        ports = [server.port for server in servers]
        return await ask_in_turn(
            ports, requests, connections or self.connections, seconds or self.seconds
        )


@contextmanager
def open_lab(cores: Cores, report: Report, **sizes: Any) -> Iterator[Lab]:
    """A lab in a temporary folder, with this process on the generator's cores."""
    with TemporaryDirectory(prefix="bukva-load-") as folder, cores.pinned():
        yield Lab(Path(folder), cores, report, **sizes)


def tell_apart(registry: Registry, pages: Sequence[bytes], answered_by: set[str]) -> list[Request]:
    """Requests whose answers differ between any two sound versions by four tolerances.

    Args:
        registry: With the versions.
        pages: Images to choose from.
        answered_by: Where the versions that answer are gathered.

    Raises:
        RuntimeError: If there are no such images.
    """
    answers = registry.expect(pages)
    chosen = []
    for index, page in enumerate(pages):
        expected = {version: rows[index] for version, rows in answers.items()}
        numbers_VN = np.array([numbers_of(answer) for answer in expected.values()])
        gaps_VV = np.abs(numbers_VN[:, None] - numbers_VN[None]).max(axis=2)
        np.fill_diagonal(gaps_VV, np.inf)
        if gaps_VV.min() >= 4 * TOLERANCE:
            chosen.append(ask_service(page, expected, answered_by=answered_by))
    if not chosen:
        raise RuntimeError("Expected images whose answers tell the versions apart, found none.")
    return chosen


async def wait_until(condition: Any, timeout_s: float = 60.0) -> None:
    """Waits beside a load until a blocking look says so.

    Raises:
        TimeoutError: If it never does.
    """
    async with asyncio.timeout(timeout_s):
        while not await asyncio.to_thread(condition):
            await asyncio.sleep(0.02)
