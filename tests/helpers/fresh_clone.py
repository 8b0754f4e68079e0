"""A clone that has been installed, and its service as somebody starts it."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from kedro_project import PROJECT
from serving_servers import Server, free_port


def make_clone(folder: Path) -> Path:
    """The project as `make` finds it after `make install`."""
    shutil.copytree(PROJECT / "conf", folder / "conf", symlinks=True)
    for name in ("pyproject.toml", "constraints.txt", "Makefile"):
        shutil.copy(PROJECT / name, folder)
    (folder / "src").mkdir()
    (folder / ".venv").mkdir()
    (folder / ".venv" / ".installed").touch()
    return folder


def environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith("BUKVA_")}


@contextmanager
def make_serve(clone: Path) -> Iterator[Server]:
    """`make serve` as somebody types it, with the interpreter of these tests; Ctrl+C at the end."""
    port = free_port()
    bin_folder = Path(sys.executable).parent
    with (
        (clone / "serve.log").open("w") as log,
        subprocess.Popen(
            ["make", "serve", f"PORT={port}", f"BIN={bin_folder}"],
            cwd=clone,
            env=environment(),
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process,
    ):
        base_url = f"http://127.0.0.1:{port}"
        try:
            with httpx.Client(base_url=base_url, timeout=10) as http:
                yield Server(base_url, http, process)
        finally:
            os.killpg(process.pid, signal.SIGINT)
