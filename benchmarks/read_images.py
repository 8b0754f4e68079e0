"""Reads images with the code that PYTHONPATH names, asked through its input; see paper.py.

python benchmarks/read_images.py MODEL.onnx

Each question is a line of JSON, the sizes of some files, and then these files; each answer a line
of JSON, symbol and case of each file, null where it is refused. It runs on old revisions, too.
"""

import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd

try:
    from bukva.tasks.glyph.recogniser import Recogniser
except ModuleNotFoundError:  # where it lay before letters became one task of several
    from bukva.inference.recogniser import Recogniser  # type: ignore[import-not-found,no-redef]


def main(model: Path) -> None:
    """Answers until the input ends."""
    recogniser = Recogniser(model.read_bytes())
    while header := sys.stdin.buffer.readline():
        files = [sys.stdin.buffer.read(size) for size in json.loads(header)]
        table = recogniser.recognise(pd.Series(files, dtype=object))
        answers = [[_or_none(value) for value in row] for row in table[["symbol", "case"]].values]
        print(json.dumps(answers), flush=True)


def _or_none(value: Any) -> str | None:
    return value if isinstance(value, str) else None


if __name__ == "__main__":
    main(Path(sys.argv[1]))
