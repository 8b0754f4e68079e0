"""The variables of the stack, for compose and here alike: `.env.example` explains them."""

import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bukva.errors import StackError

TEMPLATE: Final = ".env.example"
_LINE: Final = re.compile(r"^([A-Z][A-Z0-9_]*)=(.*)$")
_SECRET: Final = re.compile(r"_(PASSWORD|SECRET|KEY)$")
_SECRET_BYTES: Final = 24


def read_variables(path: Path) -> dict[str, str]:
    """Return what a file of lines `NAME=value` holds; lines with `#` in front are comments."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return {found[1]: found[2] for line in lines if (found := _LINE.match(line))}


def write_variables(template: Path, target: Path, given: Mapping[str, str] | None = None) -> None:
    """Write the template's variables to a file that only its owner reads, with new passwords.

    Args:
        template: With the names; a password has no value in it.
        target: The file; one that is there stays as it is.
        given: Values that differ from the template's.

    Raises:
        StackError: If the template is not there.
    """
    if target.exists():
        return
    if not template.is_file():
        raise StackError(f"Expected {template}, found none: run from the project's root.")
    lines = template.read_text(encoding="utf-8").splitlines()
    content = "\n".join(_fill(line, given or {}) for line in lines) + "\n"
    target.parent.mkdir(parents=True, exist_ok=True)
    # Created with its mode: there is no moment in which others could read it.
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content)


def _fill(line: str, given: Mapping[str, str]) -> str:
    found = _LINE.match(line)
    if not found:
        return line
    name, value = found[1], found[2]
    if not value and _SECRET.search(name):
        value = secrets.token_hex(_SECRET_BYTES)
    return f"{name}={given.get(name, value)}"
