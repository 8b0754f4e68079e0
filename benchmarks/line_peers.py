"""Error rates and time of our reader of lines beside tesseract and rapidocr, on the same lines.

python benchmarks/line_peers.py [--model file.onnx] [--rapidocr other/bin/python] [--lines 0]

The lines are those of the wills (corpus `testaments`) in the test split that
`kedro run --pipeline=line.data_processing --env=real` left, as their files are: each reader gets
the bytes. Times are those of one core, so that other programs of the machine do not count.

Peers that are not there are left out:

* tesseract: the package `tesseract-ocr` of the system with the language `fra`
  (`apt-get install tesseract-ocr tesseract-ocr-fra`). All lines go to one process (`--psm 7`).
* rapidocr: in an environment of its own, as it brings its own OpenCV
  (`python -m venv other && other/bin/pip install rapidocr onnxruntime`). Its recogniser alone, the
  model that its wheel brings: no detection, no turning.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

import cv2
import pandas as pd

from bukva.core.evaluation.edits import Edits
from bukva.core.evaluation.markdown import format_share, format_table
from bukva.datasets.corpora import CorporaDataset
from bukva.tasks.line.charset import normalise
from bukva.tasks.line.decoding import read_greedily
from bukva.tasks.line.evaluation.scores import score
from bukva.tasks.line.recogniser import LineRecogniser
from bukva.tasks.line.transcription import transcribe

_CORPUS: Final = "testaments"
_CHILD: Final = Path(__file__).parent / "peers" / "rapidocr_lines.py"
_WARM_UP: Final = 5


class Lines(NamedTuple):
    """Test lines: rows of the sample table, and their files."""

    table: pd.DataFrame
    files: list[bytes]


class Read(NamedTuple):
    """What a reader made of the lines, and how many milliseconds of a core one took."""

    texts: list[str]
    ms: float


def main() -> None:
    """Ask all readers that are there; print a table."""
    arguments = parse_arguments()
    cv2.setNumThreads(1)
    lines = read_lines(arguments.corpora, arguments.samples, arguments.lines)
    print(f"{len(lines.files)} lines of {lines.table['group'].nunique()} wills", flush=True)
    recogniser = LineRecogniser(arguments.model.read_bytes())
    rows = [
        describe("bukva", lines, ask_each(lines, lambda file: recogniser.answer([file])[0].text)),
        describe("bukva, greedy", lines, ask_each(lines, lambda file: greedily(recogniser, file))),
    ]
    peers = {
        "tesseract, fra": (ask_tesseract, find_tesseract()),
        "rapidocr, its recogniser": (ask_rapidocr, arguments.rapidocr),
    }
    for name, (ask, program) in peers.items():
        if program:
            rows.append(describe(name, lines, ask(lines, program)))
        else:
            print(f"{name}: not installed, left out; how to install it: --help")
    print()
    print(format_table(["reader", "CER, %", "WER, %", "ms of a core a line"], rows))


def parse_arguments() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, default=Path("data/06_models/line/recogniser.onnx"))
    parser.add_argument("--samples", type=Path, default=Path("data/03_primary/line"))
    parser.add_argument("--corpora", default="data/01_raw")
    parser.add_argument("--rapidocr", help="the Python of an environment that has rapidocr")
    parser.add_argument("--lines", type=int, default=0, help="at most so many; 0 for all")
    return parser.parse_args()


def read_lines(corpora: str, samples: Path, most: int) -> Lines:
    """Return the wills of the test split, with the files as the corpus has them."""
    table = pd.read_parquet(samples / "sample_table.parquet")
    tests = table[table["corpus"].eq(_CORPUS) & table["split"].eq("test")]
    # Spread over the wills.
    tests = tests.sample(frac=1, random_state=1).head(most or len(tests)).set_index("sample_id")
    dataset = CorporaDataset(folder=corpora, names=[_CORPUS], manifest="conf/base/corpora.yml")
    found = {f"{_CORPUS}/{sample.name}": sample.image for sample in dataset.load()[_CORPUS]()}
    return Lines(tests, [bytes(found[name]) for name in tests.index])


def ask_each(lines: Lines, read: Callable[[bytes], str]) -> Read:
    """Read one line after the other in this process."""
    for file in lines.files[:_WARM_UP]:
        read(file)
    started_s = time.process_time()
    texts = [read(file) for file in lines.files]
    return Read(texts, 1000 * (time.process_time() - started_s) / len(texts))


def greedily(recogniser: LineRecogniser, file: bytes) -> str:
    """Return the likeliest character of each step, without language model, words and places."""
    framed = recogniser.frame(file)
    if framed.is_empty:
        return ""
    return recogniser.charset.decode(read_greedily(recogniser.log_probabilities(framed.ink_hw)))


def find_tesseract() -> str | None:
    """Return the program, if it is there with the language."""
    program = shutil.which("tesseract")
    if not program:
        return None
    languages = run(program, "--list-langs").decode().split()
    return program if "fra" in languages else None


def run(*command: str) -> bytes:
    """Return what a program writes; it gets one thread, and none of our paths."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(  # noqa: S603 - no input
        command, capture_output=True, check=True, env=env | {"OMP_THREAD_LIMIT": "1"}
    )
    return done.stdout


def ask_tesseract(lines: Lines, program: str) -> Read:
    """Read all lines in one process; their texts come with a form feed behind each."""
    with TemporaryDirectory() as folder:
        paths = write_files(lines, Path(folder))
        listed = Path(folder) / "lines.txt"
        listed.write_text("\n".join(map(str, paths)), encoding="utf-8")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        written = run(program, str(listed), "stdout", "-l", "fra", "--psm", "7")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    texts = written.decode().split("\f")[: len(paths)]
    if len(texts) != len(paths):
        raise RuntimeError(f"Expected a text of each of {len(paths)} lines, got {len(texts)}.")
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Read(texts, 1000 * seconds / len(paths))


def ask_rapidocr(lines: Lines, python: str) -> Read:
    """Read all lines in a process of the other environment."""
    with TemporaryDirectory() as folder:
        paths = write_files(lines, Path(folder))
        written = run(python, str(_CHILD), folder)
    rows: list[dict[str, Any]] = json.loads(written.decode().splitlines()[-1])
    by_file = {row["file"]: row for row in rows}
    texts = [by_file[path.name]["text"] for path in paths]
    return Read(texts, sum(row["ms"] for row in rows) / len(rows))


def write_files(lines: Lines, folder: Path) -> list[Path]:
    """Write the files of lines, in their order."""
    paths = [folder / f"{place:05d}.jpg" for place in range(len(lines.files))]
    for path, content in zip(paths, lines.files, strict=True):
        path.write_bytes(content)
    return paths


def describe(name: str, lines: Lines, read: Read) -> list[str]:
    """Return the row of a reader; both texts are normalised, whoever wrote them."""
    pairs = zip(lines.table["text"], read.texts, strict=True)
    edits = [Edits.between(transcribe(text, _CORPUS).text, normalise(found))
             for text, found in pairs]  # fmt: skip
    counted = pd.DataFrame(edits, index=lines.table.index)
    counted = counted.assign(found=read.texts, greedy_edits=counted["character_edits"])
    results = score(lines.table.join(counted))
    shares = [format_share(results, f"all.{measure}", 1) for measure in ("cer", "wer")]
    return [name, *shares, f"{read.ms:.1f}"]


if __name__ == "__main__":
    main()
