"""Another revision of the project, for benchmarks that compare with it."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).parents[1]


@contextmanager
def checked_out(revision: str, folder: Path) -> Iterator[Path]:
    """Give the files of a revision in a folder, which is gone afterwards."""
    git = ["git", "-C", str(_ROOT), "worktree"]
    # Git found on the PATH, and a revision that the user named.
    subprocess.run([*git, "add", "--detach", "-q", str(folder), revision], check=True)  # noqa: S603
    try:
        yield folder
    finally:
        subprocess.run([*git, "remove", "--force", str(folder)], check=True)  # noqa: S603
