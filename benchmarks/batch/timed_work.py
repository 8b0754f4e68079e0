"""Does the work of one revision whenever it is asked, and tells what it took: see `framing.py`.

A program of its own, which imports no other of these: what `bukva` is, its PYTHONPATH says, and
the modules of former revisions have other names. It reads a kind of work a line, and answers each
with the microseconds of processor time an image.
"""

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numpy as np
from PIL import Image

import bukva_released

_ARRAYS_AT_ONCE: Final = 2048
_AT_LEAST: Final = 200
"""Images in one measurement: of a few, most of the time goes to what the other work has left."""


def import_first(*names: str) -> ModuleType:
    """Import the first of some modules that this revision has."""
    for name in names:
        with suppress(ModuleNotFoundError):
            return import_module(name)
    raise ModuleNotFoundError(f"Expected one of {names} in {sys.path}.")


def frame(folder: Path, kind: str) -> Callable[[], int]:
    """Return what frames decoded images, and says how many."""
    framing = import_first("bukva.tasks.glyph.preprocessing", "bukva.data.preprocessing")
    images = [np.load(path) for path in sorted(folder.glob(f"{kind}*.npy"))]
    if "reads_paper" not in {field.name for field in fields(framing.Preprocessing)}:
        # Such a revision gets grey pixels: its decoding forgets colours.
        images = [np.asarray(Image.fromarray(image).convert("L")) for image in images]

    times = -(-_AT_LEAST // len(images)) if kind == "drawing" else 1

    def work() -> int:
        for image in images * times:
            framing.preprocess(image)
        return len(images) * times

    return work


def answer(folder: Path) -> Callable[[], int]:
    """Return what reads arrays and answers for them, as `batch_inference` does."""
    batch = import_first("bukva.tasks.glyph.batch", "bukva.inference.batch")
    recogniser = import_first("bukva.tasks.glyph.recogniser", "bukva.inference.recogniser")
    nodes = import_module("bukva.pipelines.batch_inference.nodes")
    released = Path(bukva_released.__file__).with_name("model.onnx").read_bytes()
    model = batch.AnsweringModel(recogniser.Recogniser(released), "released")
    open_source: Any = import_module("bukva.datasets.image_sources").open_source
    source = open_source(str(folder / "arrays.npy"))
    chunk = next(iter(nodes.cut_into_chunks(source.lengths, _ARRAYS_AT_ONCE)))

    def work() -> int:
        return int(batch.predict_chunk(model, chunk, source).table.num_rows)

    return work


def main() -> None:
    """Be ready for all kinds of work, then do what is asked for."""
    folder = Path(sys.argv[1])
    works = {kind: frame(folder, kind) for kind in ("drawing", "photo")}
    works["arrays"] = answer(folder)
    for work in works.values():
        work()  # the first time loads and compiles
    print("ready", flush=True)
    for line in sys.stdin:
        begun_s = time.process_time()
        count = works[line.strip()]()
        print(1e6 * (time.process_time() - begun_s) / count, flush=True)


if __name__ == "__main__":
    main()
