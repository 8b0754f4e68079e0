"""Make a virtual environment and install bukva into it, with uv where it can be had.

uv takes 30 s where pip takes minutes, but does not read pip's settings: what pip is told about
local wheels is passed on to it. Needs nothing but the standard library.

    python3 tools/install.py [--venv .venv] [--extras training,serving,...] [--torch cpu]
"""

import argparse
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXTRAS = "training,serving,postgresql,ray,stack,dev,docs,notebooks"


def run(*command: str, **env: str) -> bool:
    """Run a command and return whether it succeeded."""
    return subprocess.run(command, check=False, env=os.environ | env, cwd=ROOT).returncode == 0


def find_links(python: str) -> str:
    """Return the folder or page of extra wheels that pip is configured with, or ''."""
    named = os.environ.get("UV_FIND_LINKS") or os.environ.get("PIP_FIND_LINKS")
    if named:
        return named
    asked = subprocess.run(
        [python, "-m", "pip", "config", "get", "global.find-links"],
        check=False,
        capture_output=True,
        text=True,
    )
    return asked.stdout.strip()


def install(python: str, target: str, torch: str) -> bool:
    """Install with uv, falling back to pip; `torch` names a build: cpu, auto, cu130 ...

    pip takes whatever build its index offers, and that may be gigabytes of CUDA: for the CPU build
    it is asked only where local wheels hold it.
    """
    pinned = ["-c", "constraints.txt", "-e", target]
    links = find_links(python)
    if run(python, "-m", "pip", "install", "--quiet", "uv"):
        # Where local wheels hold the CPU build of torch, its own index is not needed.
        backend = [] if links and torch == "cpu" else [f"--torch-backend={torch}"]
        uv = [python, "-m", "uv", "pip", "install", "--quiet", "--python", python]
        # As pip does: where Python may write no bytecode, each process would compile MLflow anew.
        uv.append("--compile-bytecode")
        # pip trusts the machine's own certificates; so shall uv.
        settings = {"UV_SYSTEM_CERTS": "true"} | ({"UV_FIND_LINKS": links} if links else {})
        if run(*uv, *backend, *pinned, **settings):
            return True
    if torch == "cpu" and not links:
        sys.stderr.write("Expected uv and torch's CPU index, or local wheels (PIP_FIND_LINKS).\n")
        return False
    sys.stderr.write("uv could not install; trying pip, which takes some minutes.\n")
    return run(python, "-m", "pip", "install", "--quiet", *pinned)


def main() -> int:
    """Install and leave a stamp that make compares with pyproject.toml."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--venv", default=".venv", type=Path)
    parser.add_argument("--extras", default=EXTRAS)
    parser.add_argument("--torch", default="cpu", help="build of torch: cpu, auto, cu130, ...")
    options = parser.parse_args()
    if sys.version_info < (3, 11):  # noqa: UP036 - the reader may run an older Python
        found = sys.version.split()[0]
        sys.stderr.write(f"bukva needs Python 3.11 or later, this is {found}: make PYTHON=...\n")
        return 1
    folder = ROOT / options.venv
    print(f"Installing bukva into {folder} (about 1.9 GB) ...", flush=True)
    python = str(folder / ("Scripts" if os.name == "nt" else "bin") / "python")
    # What was interrupted is made anew; a finished one may be in use.
    if not (folder / ".installed").exists():
        venv.create(folder, with_pip=True)
    if not install(python, f".[{options.extras}]", options.torch):
        sys.stderr.write(
            "bukva could not be installed: see the messages above. Is a package index reachable?\n"
        )
        return 1
    # As all that was installed; each process of a hundred would compile our own for two seconds.
    run(python, "-m", "compileall", "-q", "src")
    (folder / ".installed").touch()
    return 0


if __name__ == "__main__":
    sys.exit(main())
