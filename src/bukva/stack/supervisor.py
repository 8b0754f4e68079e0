"""The supervisor of the servers: supervisord, told by a file what to run, and asked how it is."""

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from bukva.errors import StackError
from bukva.stack.layout import HOST, SERVERS, Layout
from bukva.stack.leftovers import MARK, end_leftovers
from bukva.stack.programs import Program, common_environment

_STOP_S: Final = 30
_HEAD: Final = """\
[supervisord]
nodaemon=true
silent=true
identifier=bukva
directory={directory}
logfile={logs}/supervisor.log
pidfile={folder}/supervisord.pid
childlogdir={logs}
{user}
[inet_http_server]
port={host}:{port}
username=bukva
password={password}

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=http://{host}:{port}
username=bukva
password={password}
"""
# What dies is started again, as compose does it; the supervisor's log tells of it.
_PROGRAM: Final = """
[program:{name}]
command={command}
{user}
autostart=false
autorestart=true
startsecs=1
stopsignal={stop_signal}
stopwaitsecs={stop_s}
stopasgroup={has_children}
killasgroup={has_children}
redirect_stderr=true
stdout_logfile={logs}/{name}.log
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=2
"""


class Supervisor:
    """Starts, stops and watches the programs of a layout."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def configure(self, programs: Iterable[Program]) -> None:
        """Write down what there is to run."""
        layout = self._layout
        layout.logs.mkdir(parents=True, exist_ok=True)
        head = _HEAD.format(
            directory=_escape(str(Path.cwd())), folder=_escape(str(layout.folder)),
            logs=_escape(str(layout.logs)), host=HOST, port=layout.port("supervisor"),
            password=layout.variables["POSTGRES_PASSWORD"],
            user="user=root\n" if os.geteuid() == 0 else "",
        )  # fmt: skip
        items = list(programs)
        for program in items:
            _write_private(self._script(program), _to_script(program, self._mark(program.name)))
        text = head + "".join(self._describe(item) for item in items)
        _write_private(layout.supervisor_file, text)

    def begin(self) -> "subprocess.Popen[bytes]":
        """Start the supervisor, and nothing else yet.

        Raises:
            StackError: If it does not answer.
        """
        command = [sys.executable, "-m", "supervisor.supervisord"]
        command += ["-c", str(self._layout.supervisor_file)]
        # A session of its own: Ctrl+C reaches us alone, and we end it in order.
        process = subprocess.Popen(  # noqa: S603 - our own command
            command, env=common_environment(), start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        deadline_s = time.monotonic() + _STOP_S
        while not self.is_up():
            if process.poll() is not None or time.monotonic() > deadline_s:
                process.kill()
                raise StackError(f"The supervisor did not start: {_last_words(process)}")
            time.sleep(0.1)
        return process

    def is_up(self) -> bool:
        """Whether the supervisor runs, and answers."""
        return self._pid() is not None

    def start(self, name: str) -> None:
        """Have a program started; whether that went well is to be asked of it."""
        # The answer comes when it has run for a second; nobody need wait for it.
        subprocess.Popen(  # noqa: S603 - our own command
            self._command("start", name), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def has_given_up(self, name: str) -> bool:
        """Whether a program has ended too often to be started again."""
        return not self.is_up() or self.states().get(name, "FATAL").startswith("FATAL")

    def stop(self, name: str) -> None:
        """Stop a program, and wait until it is gone.

        Raises:
            StackError: If it cannot be stopped.
        """
        done = self._ask("stop", name)
        if done.returncode and "NOT_RUNNING" not in done.stdout:
            raise StackError(f"Expected {name} to stop: {done.stdout.strip()}")

    def states(self) -> dict[str, str]:
        """Return the state of each program: `RUNNING   pid 12, uptime 0:00:07`."""
        lines = self._ask("status").stdout.splitlines()
        return {name: state.strip() for name, _, state in (line.partition(" ") for line in lines)}

    def shut_down(self) -> None:
        """End all programs and the supervisor, and wait for it.

        Raises:
            StackError: If it does not end.
        """
        self._ask("stop", *reversed(SERVERS))  # those that need others first
        self._ask("shutdown")
        deadline_s = time.monotonic() + 2 * _STOP_S
        while self.is_up():
            if time.monotonic() > deadline_s:
                log = self._layout.logs / "supervisor.log"
                raise StackError(f"The supervisor (process {self._pid()}) did not end: see {log}.")
            time.sleep(0.05)
        for name in SERVERS:
            end_leftovers(self._mark(name))

    def _mark(self, name: str) -> str:
        return str(self._layout.folder / name)

    def _pid(self) -> int | None:
        """Return the supervisor's process, if the one that it wrote down is still it."""
        try:
            pid = int((self._layout.folder / "supervisord.pid").read_text())
            words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
        except (OSError, ValueError):
            return None
        return pid if str(self._layout.supervisor_file) in words else None

    def _script(self, program: Program) -> Path:
        return self._layout.folder / "run" / f"{program.name}.sh"

    def _describe(self, program: Program) -> str:
        # Another user may not read the script, and has no passwords in it.
        command = program.command if program.user else ("/bin/sh", str(self._script(program)))
        return _PROGRAM.format(
            name=program.name,
            command=_escape(shlex.join(command)),
            user=f"user={program.user}" if program.user else "",
            stop_signal=program.stop_signal, stop_s=_STOP_S,
            has_children=str(program.has_children).lower(), logs=_escape(str(self._layout.logs)),
        )  # fmt: skip

    def _ask(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(  # noqa: S603 - our own command
            self._command(*words), capture_output=True, text=True, check=False
        )

    def _command(self, *words: str) -> list[str]:
        control = [sys.executable, "-m", "supervisor.supervisorctl"]
        return [*control, "-c", str(self._layout.supervisor_file), *words]


def _escape(text: str) -> str:
    return text.replace("%", "%%")


def _to_script(program: Program, mark: str) -> str:
    """Return the program as a script: the supervisor's own file would not take every password."""
    variables = {**program.environment, MARK: mark}
    given = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    clean = shlex.join([sys.executable, "-m", "bukva.stack.leftovers", mark])
    return "\n".join(["#!/bin/sh", *given, clean, f"exec {shlex.join(program.command)}", ""])


def _write_private(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_text(text, encoding="utf-8")


def _last_words(process: "subprocess.Popen[bytes]") -> str:
    said = process.stderr.read() if process.stderr else b""
    return said.decode(errors="replace").strip()[-400:] or "it said nothing."
