"""Several processes for one training, by torch's elastic launcher.

The process that launches keeps what there is one of: the checkpoint, the tracker, the caller. The
first of the launched ones asks it through a socket of this machine; what it answers all get.
"""

import os
import secrets
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection, Listener
from typing import Any, Final, NamedTuple

import torch
from torch import distributed
from torch.distributed import PrefixStore, TCPStore  # type: ignore[attr-defined]
from torch.distributed.elastic.multiprocessing import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from bukva.errors import BukvaError, ParameterError, TrainingError
from bukva.training.parallel import from_first, rank

START_METHOD: Final = "spawn"
"""A fork of a process whose torch has threads may hang."""
_HANDLED: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)

Ask = Callable[[str, Any], Any]
"""Asks the launching process by the name of a request, in all processes at once."""


class _StoppedError(Exception):
    """The launching process wants no more: it knows why."""


class _Reply(NamedTuple):
    is_stop: bool
    value: Any


class _Desk:
    """Answers the requests of the first process, in a thread of the launching one."""

    def __init__(self, requests: Mapping[str, Callable[[Any], Any]]) -> None:
        self._requests = requests
        self.key = secrets.token_bytes(32)
        self._listener = Listener(authkey=self.key)
        self.address = self._listener.address
        self.error: BaseException | None = None
        self._is_open = True
        self._thread = threading.Thread(target=self._answer_all, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._is_open = False
        Client(self.address, authkey=self.key).close()  # wakes the thread
        self._thread.join()
        self._listener.close()

    def _answer_all(self) -> None:
        # Whoever is started again connects again.
        while self._is_open:
            try:
                with self._listener.accept() as connection:
                    while True:
                        name, argument = connection.recv()
                        connection.send(self._answer(name, argument))
            except (EOFError, OSError, AuthenticationError):
                continue

    def _answer(self, name: str, argument: Any) -> _Reply:
        if self.error is None:
            try:
                return _Reply(is_stop=False, value=self._requests[name](argument))
            except BaseException as error:  # raised by `launch`, in its own thread
                self.error = error
        return _Reply(is_stop=True, value=None)


def launch(
    part: Callable[..., Any],
    arguments: tuple[Any, ...],
    requests: Mapping[str, Callable[[Any], Any]],
    *,
    processes: int,
    device: torch.device,
    restarts: int,
) -> Any:
    """Run a function in several processes, and return what the first of them returns.

    Args:
        part: Of a module; is given `ask` and then the arguments.
        arguments: Pickled for every process.
        requests: What can be asked for, by name. What one of them raises ends all, and is raised.
        processes: How many.
        device: CUDA takes one GPU for each.
        restarts: How often all are started again after one has died.

    Raises:
        ParameterError: If there are fewer GPUs.
        TrainingError: If one has died once too often.
    """
    _check_gpus(processes, device)
    desk = _Desk(requests)
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=processes,
        run_id=secrets.token_hex(8),
        rdzv_backend="c10d",
        rdzv_endpoint="127.0.0.1:0",
        local_addr="127.0.0.1",
        max_restarts=restarts,
        start_method=START_METHOD,
    )
    threads = max(1, torch.get_num_threads() // processes)
    worker = (desk.address, desk.key, device.type, threads, part, arguments)
    try:
        with _signals_restored():
            outcomes = elastic_launch(config, _take_part)(*worker)
    except ChildFailedError as error:
        raise TrainingError(_describe(error, processes)) from error
    finally:
        desk.close()
    if desk.error is not None:
        raise desk.error
    if isinstance(outcomes[0], BukvaError):
        raise outcomes[0]
    return outcomes[0]


def _take_part(
    address: str,
    key: bytes,
    device: str,
    threads: int,
    part: Callable[..., Any],
    arguments: tuple[Any, ...],
) -> Any:
    """Join the others, do the part, and return what came of it in the first process."""
    torch.set_num_threads(threads)
    if sys.platform == "linux":
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    if device == "cuda":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    _join_group("nccl" if device == "cuda" else "gloo")
    try:
        with _asking(address, key) as ask:
            result = part(ask, *arguments)
    except _StoppedError:
        return None
    except BukvaError as error:
        # All have it alike: to start again would come to the same.
        result = error
    finally:
        distributed.destroy_process_group()
    return result if os.environ["RANK"] == "0" else None


def _join_group(backend: str) -> None:
    """Meet the others that were started together with this process.

    The launcher's store still knows the addresses of those that were started before.
    """
    known = os.environ
    store = TCPStore(known["MASTER_ADDR"], int(known["MASTER_PORT"]), is_master=False)
    distributed.init_process_group(
        backend,
        store=PrefixStore(known["TORCHELASTIC_RESTART_COUNT"], store),
        rank=int(known["RANK"]),
        world_size=int(known["WORLD_SIZE"]),
    )


@contextmanager
def _asking(address: str, key: bytes) -> Iterator[Ask]:
    connection: Connection[Any, Any] | None = Client(address, authkey=key) if rank() == 0 else None

    def ask(name: str, argument: Any) -> Any:
        def ask_alone() -> _Reply:
            assert connection is not None  # the first has one
            connection.send((name, argument))
            reply: _Reply = connection.recv()
            return reply

        reply = from_first(ask_alone)
        if reply.is_stop:
            raise _StoppedError
        return reply.value

    try:
        yield ask
    finally:
        if connection is not None:
            connection.close()


@contextmanager
def _signals_restored() -> Iterator[None]:
    """Give back the handlers that the launcher replaces; what Ctrl-C means stays as it is."""
    is_main = threading.current_thread() is threading.main_thread()
    handlers = {number: signal.getsignal(number) for number in _HANDLED}
    try:
        yield
    except SignalException as error:
        if error.sigval == signal.SIGINT:
            raise KeyboardInterrupt from error
        raise
    finally:
        for number, handler in handlers.items():
            if is_main and handler is not None:
                signal.signal(number, handler)


def _check_gpus(processes: int, device: torch.device) -> None:
    if device.type == "cuda" and processes > torch.cuda.device_count():
        message = (
            f"Expected a GPU for each of {processes} processes, found {torch.cuda.device_count()}: "
            "lower `processes`, or take device=cpu."
        )
        raise ParameterError(message)


def _describe(error: ChildFailedError, processes: int) -> str:
    number, failure = error.get_first_failure()
    return (
        f"Expected {processes} processes to train to the end, process {number} ended with exit "
        f"code {failure.exitcode} ({failure.message}). The checkpoint of the last epoch is kept: "
        "the same command goes on from there."
    )
