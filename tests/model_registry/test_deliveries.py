"""Requests to a server that may be away: nobody waits for it, and nothing is lost."""

import math
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from serving_servers import wait_for

from bukva.errors import TrackingUnreachableError
from bukva.model_registry.deliveries import Deliveries
from bukva.model_registry.journal import Journal, left_behind


class Server:
    """Takes `takes` requests, then is away; or is silent: has them, but nobody hears of it."""

    def __init__(self) -> None:
        self.taken: list[int] = []
        self.takes: float = math.inf
        self.speaks = threading.Event()
        self.speaks.set()

    def send(self, request: dict[str, int]) -> int:
        if len(self.taken) >= self.takes:
            raise TrackingUnreachableError("away")
        self.speaks.wait()
        if request["n"] < 0:
            raise ValueError("refused")
        self.taken.append(request["n"])
        return 10 * request["n"]


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.takes = math.inf
    server.speaks.set()


@pytest.fixture
def deliveries(server: Server, tmp_path: Path) -> Deliveries:
    return Deliveries(server.send, Journal(tmp_path, "http://server"))


def kept(folder: Path) -> int:
    return sum(len(path.read_text().splitlines()) - 1 for path in folder.glob("*.jsonl"))


def test_a_server_that_answers_is_heard_at_once(
    deliveries: Deliveries, server: Server, tmp_path: Path
) -> None:
    assert [deliveries.post({"n": n}) for n in (1, 2)] == [10, 20]
    with pytest.raises(ValueError, match="refused"):
        deliveries.post({"n": -1})
    assert deliveries.post({"n": 3}) == 30
    assert server.taken == [1, 2, 3]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("is_silent", [False, True])
def test_what_a_server_does_not_take_is_kept_and_delivered_in_order(
    deliveries: Deliveries, server: Server, tmp_path: Path, is_silent: bool
) -> None:
    deliveries.post({"n": 1})
    if is_silent:
        server.speaks.clear()
    else:
        server.takes = 0
    assert [deliveries.post({"n": n}) for n in (2, 3)] == [None, None]
    assert kept(tmp_path) == 2
    assert deliveries.wait(0) == 2
    server.takes = math.inf
    server.speaks.set()
    assert deliveries.wait(20) == 0
    assert server.taken == [1, 2, 3]
    assert list(tmp_path.iterdir()) == []
    assert deliveries.post({"n": 4}) == 40


def test_what_is_refused_later_is_set_aside_and_stops_nothing(
    deliveries: Deliveries, server: Server, tmp_path: Path
) -> None:
    server.takes = 0
    for n in (1, -1, 2):
        assert deliveries.post({"n": n}) is None
    server.takes = math.inf
    assert deliveries.wait(20) == 0
    assert server.taken == [1, 2]
    assert "refused" in (tmp_path / "refused.txt").read_text()
    assert list(left_behind(tmp_path)) == []


def test_many_threads_lose_nothing(deliveries: Deliveries, server: Server, tmp_path: Path) -> None:
    def give(numbers: range) -> None:
        for n in numbers:
            deliveries.post({"n": n})

    server.takes = 50
    threads = [threading.Thread(target=give, args=(range(k, 400, 4),)) for k in range(4)]
    for thread in threads:
        thread.start()
    wait_for(lambda: kept(tmp_path) > 5)
    server.takes = math.inf
    for thread in threads:
        thread.join()
    assert deliveries.wait(20) == 0
    assert sorted(server.taken) == list(range(400))
    assert list(tmp_path.iterdir()) == []
