"""Measures batch prediction: images/s here, and on Ray with some workers.

python benchmarks/batch_throughput.py [--images 1000000] [--png-images 100000] [--workers 1 2]

It makes the images, asks the released model in the way `batch_inference` does (reading, decoding,
framing, network, writing of parts), and prints what the first part waited for (start-up, Ray's
actors) apart from the rest; and of some of the images what each step takes of a core. `--json`
writes the figures too.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import numpy as np

import bukva_released
from batch import synthetic
from bukva.core.evaluation.markdown import format_table
from bukva.datasets.batch import PartsDataset, Progress
from bukva.datasets.image_sources import open_source
from bukva.pipelines.batch_inference import nodes
from bukva.tasks.glyph.batch import AnsweringModel, Part, predict_chunk
from bukva.tasks.glyph.parameters import BatchInferenceParameters
from bukva.tasks.glyph.preprocessing import Glyph
from bukva.tasks.glyph.recogniser import Recogniser
from load.report import describe_machine

T = TypeVar("T")

_STEP_IMAGES = 4096
_AT_ONCE = 256
HEAD = [
    "images", "as", "engine", "workers", "start-up, s", "images/s", "images/s per worker",
    "s per 10^6", "processor, us an image",
]  # fmt: skip


@dataclass(frozen=True)
class Figure:
    """What was measured of one run.

    Attributes:
        images: How many.
        kind: `arrays` or `png`.
        engine: `local` or `ray`.
        workers: Processes that recognise.
        start_s: Until the first part was there, less what its images take.
        seconds: For the rest.
        images_per_s: Of the rest.
        processor_us: Processor time of this process, an image; of Ray, that of the driver.
    """

    images: int
    kind: str
    engine: str
    workers: int
    start_s: float
    seconds: float
    images_per_s: float
    processor_us: float

    def row(self) -> list[str]:
        """The figures as a table shows them."""
        return [
            f"{self.images:,}", self.kind, self.engine, str(self.workers), f"{self.start_s:.1f}",
            f"{self.images_per_s:,.0f}", f"{self.images_per_s / self.workers:,.0f}",
            f"{1e6 / self.images_per_s:,.0f}", f"{self.processor_us:.0f}",
        ]  # fmt: skip


def main() -> None:
    """Make the images, measure, print a table."""
    asked = make_parser().parse_args()
    model = AnsweringModel(Recogniser(read_released()), "released")
    figures, steps = [], []
    with TemporaryDirectory(prefix="bukva_batch_") as folder:
        for kind, count in (("arrays", asked.images), ("png", asked.png_images)):
            if not count:
                continue
            images = make_images(Path(folder), kind, count)
            warm_up(model, images)
            steps.append({"as": kind, **measure_steps(model, images)})
            figures.append(measure(model, images, kind, "local", 1, asked.chunk_images))
            figures += [
                measure(model, images, kind, "ray", workers, asked.chunk_images)
                for workers in asked.workers
            ]
    machine = describe_machine()
    print("\n".join(f"{name}: {value}" for name, value in machine.items()))
    print(format_table(HEAD, [figure.row() for figure in figures]))
    print(format_table(list(steps[0]), [[str(value) for value in row.values()] for row in steps]))
    if asked.json:
        figures_of = [asdict(figure) for figure in figures]
        content = {"machine": machine, "figures": figures_of, "steps": steps}
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        asked.json.write_text(json.dumps(content, indent=2))


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("--images", type=int, default=1_000_000, help="as raw arrays (10^6)")
    parser.add_argument("--png-images", type=int, default=100_000, help="as PNG (10^5); 0: none")
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2], help="of Ray (1 2)")
    parser.add_argument("--chunk-images", type=int, default=10_000)
    parser.add_argument("--json", type=Path, help="where the figures are written too")
    return parser


def read_released() -> bytes:
    """The released model."""
    return (Path(bukva_released.__file__).parent / "model.onnx").read_bytes()


def make_images(folder: Path, kind: str, count: int) -> Path:
    """Images in a file."""
    path = folder / ("images.npy" if kind == "arrays" else "images.parquet")
    {"arrays": synthetic.write_arrays, "png": synthetic.write_pngs}[kind](path, count)
    return path


def warm_up(model: AnsweringModel, images: Path) -> None:
    """Load what is loaded at the first call, and let the processor speed up."""
    source = open_source(str(images))
    chunk = next(iter(nodes.cut_into_chunks(source.lengths, 512)))
    for _ in range(4):
        predict_chunk(model, chunk, source)


def measure_steps(model: AnsweringModel, images: Path) -> dict[str, int]:
    """Return microseconds of processor time an image, of one chunk, by step."""
    source = open_source(str(images))
    chunk = next(iter(nodes.cut_into_chunks(source.lengths, _STEP_IMAGES)))
    read, reading_us = clock(lambda: list(source.read(chunk).images))
    places = range(0, len(read), _AT_ONCE)
    framed, framing_us = clock(
        lambda: [model.recogniser.prepare(read[place : place + _AT_ONCE]) for place in places]
    )
    glyphs = [item for items in framed for item in items if isinstance(item, Glyph)]
    images_NHW = np.stack([glyph.image_HW for glyph in glyphs])
    page_NF = np.stack([glyph.page_F for glyph in glyphs])
    _, network_us = clock(lambda: model.recogniser.probabilities(images_NHW, page_NF))
    _, all_us = clock(lambda: predict_chunk(model, chunk, source))
    steps = {"reading": reading_us, "decoding, framing": framing_us, "network": network_us}
    rest_us = all_us - sum(steps.values())
    return steps | {"answers, table": rest_us, "all": all_us}


def clock(work: Callable[[], T]) -> tuple[T, int]:
    """Return what comes of some work, and its microseconds of processor time an image."""
    begun_s = time.process_time()
    done = work()
    return done, round(1e6 * (time.process_time() - begun_s) / _STEP_IMAGES)


def measure(
    model: AnsweringModel, images: Path, kind: str, engine: str, workers: int, chunk_images: int
) -> Figure:
    """Run the nodes that read, recognise and write."""
    with TemporaryDirectory(prefix="bukva_parts_") as results:
        parameters = BatchInferenceParameters(
            images=str(images),
            results=results,
            model="prod",
            engine=engine,
            ray_workers=workers,
            chunk_images=chunk_images,
        )
        source = open_source(str(images))
        nothing = Progress(None, frozenset())
        processor_s, start_s = time.process_time(), time.perf_counter()
        plan = nodes.plan(source, model, nothing, parameters)
        parts = nodes.predict(source, model, plan, nothing, parameters)
        times = [(start_s, 0), *save_all(parts, PartsDataset(folder=results))]
        processor_s = time.process_time() - processor_s
    first_s, first_images = times[1]
    total = sum(count for _, count in times)
    seconds = times[-1][0] - first_s
    # What the workers finished at the same time as the first part is not in the rest.
    rest = total - first_images
    speed = rest / seconds if seconds else 0.0
    start_s = first_s - start_s - workers * first_images / max(speed, 1e-9)
    return Figure(total, kind, engine, workers, start_s, seconds, speed, 1e6 * processor_s / total)


def save_all(parts: Iterator[Part], dataset: PartsDataset) -> Iterator[tuple[float, int]]:
    """Save parts, and yield when each was there and how many images it holds."""
    for part in parts:
        dataset.save(part)
        yield time.perf_counter(), part.table.num_rows


if __name__ == "__main__":
    main()
