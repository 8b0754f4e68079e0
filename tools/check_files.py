"""Refuse what does not belong into the repository: pre-commit passes the names of the files.

python tools/check_files.py FILE ...
"""

import json
import re
import sys
from pathlib import Path

MAX_BYTES = 1_000_000
# By folder. That of letters, all of whose files together are checked when it is made; that of lines
# with its language model.
MAX_RELEASED_BYTES = {"bukva_released": 4_000_000, "line": 8_000_000}
PRIVATE_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----")


def find_faults(path: Path) -> list[str]:
    """Return what is wrong with a file, one sentence each."""
    content = path.read_bytes()
    faults = []
    is_released = "bukva_released" in path.parts
    most = MAX_RELEASED_BYTES.get(path.parent.name, MAX_BYTES) if is_released else MAX_BYTES
    if len(content) > most:
        faults.append(f"{path}: expected at most {most} bytes, got {len(content)}.")
    if PRIVATE_KEY.search(content):
        faults.append(f"{path}: holds a private key. Put it into conf/local/, which git ignores.")
    if path.suffix == ".ipynb" and has_outputs(content):
        faults.append(
            f"{path}: expected a notebook without outputs. Run: "
            f".venv/bin/jupyter nbconvert --clear-output --inplace {path}"
        )
    return faults


def has_outputs(notebook: bytes) -> bool:
    """Return whether any cell of a notebook was run and kept what came of it."""
    cells = json.loads(notebook)["cells"]
    return any(cell.get("outputs") or cell.get("execution_count") for cell in cells)


def main() -> int:
    """Print the faults of all files named on the command line; 1 if there are any."""
    names = (Path(name) for name in sys.argv[1:])
    faults = [fault for path in names if path.is_file() for fault in find_faults(path)]
    sys.stderr.writelines(f"{fault}\n" for fault in faults)
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
