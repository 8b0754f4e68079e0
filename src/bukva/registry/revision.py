"""The commit that the project stands at."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

#: Set in images, which hold neither the repository nor git.
REVISION: Final = "BUKVA_REVISION"


def git_revision() -> str:
    """Return the commit that the project stands at, with a + where files differ from it.

    `unknown` where neither the environment nor git says.
    """
    if given := os.environ.get(REVISION):
        return given
    git = shutil.which("git")
    if not git:
        return "unknown"
    described = subprocess.run(  # noqa: S603 - our own command
        [git, "describe", "--always", "--abbrev=40", "--dirty=+"],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parent,
    )
    return described.stdout.strip() or "unknown"
