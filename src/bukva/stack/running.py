"""Start the servers in order, each when those that it needs answer; end them all."""

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from bukva.errors import StackError
from bukva.stack.accounts import has_production, make_bucket, make_user
from bukva.stack.layout import HOST, SERVERS, Layout
from bukva.stack.logs import LogFollower
from bukva.stack.preparing import init_database, make_databases, write_nginx
from bukva.stack.probes import probes, wait_for
from bukva.stack.programs import common_environment, has_nginx, list_programs
from bukva.stack.supervisor import Supervisor

_MODEL: Final = ("bukva-glyph", "prod")
_FOLLOW_S: Final = 0.3

Tell = Callable[[str], None]


def start(layout: Layout, *, with_model: bool, tell: Tell) -> "subprocess.Popen[bytes]":
    """Start all servers; when this returns, each of them answers.

    Args:
        layout: Of the stack.
        with_model: Whether the released model is put into production where none is.
        tell: Is told of each step.

    Returns:
        The process of their supervisor.

    Raises:
        StackError: If one does not start; all are ended then.
    """
    supervisor = Supervisor(layout)
    if supervisor.is_up():
        raise StackError(f"The stack in {layout.folder} runs already: make stack_down ends it.")
    programs = list_programs(layout)
    check_ports(layout)
    init_database(layout)
    layout.buckets.mkdir(parents=True, exist_ok=True)
    if has_nginx():
        write_nginx(layout)
    supervisor.configure(programs)
    process = supervisor.begin()
    try:
        with _ending_on_sigterm():
            for program in programs:
                tell(f"starting {program.name}")
                start_server(layout, program.name)
                _prepare_others(layout, program.name, with_model=with_model)
    except BaseException:
        supervisor.shut_down()
        process.wait()
        raise
    return process


def check_ports(layout: Layout) -> None:
    """Return if nobody else listens where the servers are to.

    Raises:
        StackError: If somebody does.
    """
    for name in (*SERVERS, "supervisor"):
        with socket.socket() as probe:
            # As the servers do it: connections that have just ended are no hindrance.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, layout.port(name)))
            except OSError as error:
                message = f"Expected port {layout.port(name)} to be free for {name}"
                raise StackError(f"{message}: {error.strerror}. Name another PORT.") from error


def start_server(layout: Layout, name: str) -> None:
    """Start one server, and wait until it answers.

    Raises:
        StackError: If it does not.
    """
    supervisor = Supervisor(layout)
    supervisor.start(name)
    try:
        wait_for(name, probes(layout)[name], lambda: supervisor.has_given_up(name))
    except StackError as error:
        raise StackError(f"{error} See {layout.logs / name}.log.") from None


def follow(layout: Layout, process: "subprocess.Popen[bytes]", tell: Tell) -> None:
    """Show what the servers write, until Ctrl+C or SIGTERM, or until their supervisor ends."""
    follower = LogFollower(layout.logs)
    with _asked_to_end() as asked:
        while not asked.wait(_FOLLOW_S):
            for line in follower.read():
                tell(line)
            if process.poll() is not None:
                return


@contextmanager
def _ending_on_sigterm() -> Iterator[None]:
    """SIGTERM is an exception, as Ctrl+C is: what was started is ended."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _asked_to_end() -> Iterator[threading.Event]:
    """An event that Ctrl+C and SIGTERM set, instead of what they do otherwise."""
    asked = threading.Event()
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda *_: asked.set()) for number in numbers}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _prepare_others(layout: Layout, name: str, *, with_model: bool) -> None:
    """Make what the next servers need of the one that answers now."""
    if name == "postgresql":
        make_databases(layout)
    if name == "s3":
        make_bucket(layout.keys_of("owner"), layout.bucket)
    if name == "mlflow":
        make_users(layout)
        if with_model and not has_production(layout.login_of("trainer"), *_MODEL):
            _install_released(layout)


def make_users(layout: Layout) -> None:
    """Make the accounts of MLflow, or give them the passwords that they should have.

    Raises:
        StackError: If MLflow refuses.
    """
    for name in ("trainer", "service"):
        password = layout.variables[f"MLFLOW_{name.upper()}_PASSWORD"]
        make_user(layout.login_of("admin"), name, password)


def _install_released(layout: Layout) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bukva", "release", "install", "--env=prod"],
        env=common_environment() | layout.training(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise StackError(f"The released model was not registered: {done.stderr.strip()[-600:]}")
