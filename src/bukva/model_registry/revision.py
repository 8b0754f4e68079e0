"""The commit that the project stands at."""

import subprocess
from pathlib import Path


def git_revision() -> str:
    """Return the commit that the project stands at, with a + where files differ from it."""
    described = subprocess.run(
        ["git", "describe", "--always", "--abbrev=40", "--dirty=+"],  # noqa: S607 - git of the PATH
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parent,
    )
    return described.stdout.strip() or "unknown"
