"""Times framing and batch prediction on one core, here and at an earlier revision, by turns.

python benchmarks/framing.py [--base d10ac51] [--rounds 15]

Framing is what lies between decoded pixels and the network's input: of drawings of 200 px, and of
photographs of 1000 x 750 px, in colour here if this revision reads colours. The batch is 28 x 28
arrays that are read, framed, recognised and put into a table, by the model that each revision
releases. Counted is processor time, which other programs change least, and of it the ratio of the
medians. Exits with 1 if a target is missed.
"""

import argparse
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
from PIL import Image

from batch import synthetic
from bukva.core.arrays import UInt8Array
from bukva.tasks.glyph.embedded import draw_letters_and_digits
from revisions import checked_out

HERE: Final = Path(__file__).parents[1]
WORKER: Final = HERE / "benchmarks" / "batch" / "timed_work.py"
KINDS: Final = ("drawing", "photo", "arrays")
TARGETS: Final = {"drawing": 5.0, "arrays": 2.5}
"""How many times as fast as the earlier revision each must be. It refuses photographs, or misreads
them: that they take longer now is told, and no target."""
_DRAWING_PX: Final = 200
_PHOTO_PX: Final = (1000, 750)
_SYMBOL_PX: Final = 420
_IMAGES: Final = 8
_ARRAYS: Final = 4096


def write_images(folder: Path) -> None:
    """Write what is framed and recognised, decoded."""
    pages = [page.image for page in draw_letters_and_digits(samples_per_symbol=1, seed=11)]
    for number, page_HW in enumerate(pages[:: len(pages) // _IMAGES]):
        np.save(folder / f"drawing{number}.npy", enlarge(page_HW, _DRAWING_PX))
        np.save(folder / f"photo{number}.npy", photograph(page_HW, seed=number))
    synthetic.write_arrays(folder / "arrays.npy", _ARRAYS)


def enlarge(page_HW: UInt8Array, side_px: int) -> UInt8Array:
    """Return a page at another size."""
    size = (side_px, side_px)
    return np.asarray(Image.fromarray(page_HW).resize(size, Image.Resampling.BICUBIC))


def photograph(page_HW: UInt8Array, seed: int) -> UInt8Array:
    """Return a symbol in blue ink on yellowish paper, lit from a corner, with noise."""
    rng = np.random.default_rng(seed)
    width, height = _PHOTO_PX
    ink_HW = np.zeros((height, width))
    top, left = (height - _SYMBOL_PX) // 2, (width - _SYMBOL_PX) // 2
    symbol = enlarge(page_HW, _SYMBOL_PX) / 255
    ink_HW[top : top + _SYMBOL_PX, left : left + _SYMBOL_PX] = symbol.max() - symbol
    paper, ink = np.array([225, 220, 200]), np.array([40, 50, 120])
    colours_HWC = paper + ink_HW[..., None] * (ink - paper)
    light_HW = np.linspace(1.0, 0.7, width) * np.linspace(1.0, 0.8, height)[:, None]
    noisy_HWC = colours_HWC * light_HW[..., None] + rng.normal(0, 4, colours_HWC.shape)
    return noisy_HWC.clip(0, 255).astype(np.uint8)


class Worker:
    """A revision that does one kind of work after the other."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdin, "it is piped"
        assert process.stdout, "it is piped"
        self._asks, self._tells = process.stdin, process.stdout
        self._read("ready")

    def measure(self, kind: str) -> float:
        """Return microseconds of processor time an image."""
        self._asks.write(f"{kind}\n")
        self._asks.flush()
        return float(self._read("a number"))

    def _read(self, expected: str) -> str:
        if line := self._tells.readline():
            return line
        raise RuntimeError(f"Expected {expected} of a revision, but it has ended: see above.")


@contextmanager
def working(project: Path, images: Path) -> Iterator[Worker]:
    """A revision, ready to work; it ends with the block."""
    own = {"PYTHONPATH": str(project / "src"), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(  # noqa: S603 - no input
        [sys.executable, str(WORKER), str(images)], cwd=project, env=os.environ | own, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        yield Worker(process)
    finally:
        process.kill()
        process.communicate()


def measure(workers: Mapping[str, Worker], rounds: int) -> dict[tuple[str, str], float]:
    """Return the median of microseconds an image, by kind of work and revision."""
    took_us: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    for number in range(rounds):
        for kind in KINDS:
            for name in sorted(workers, reverse=bool(number % 2)):
                took_us[kind, name].append(workers[name].measure(kind))
    return {key: median(values) for key, values in took_us.items()}


def main() -> bool:
    """Measure, print a table; return whether every target is met."""
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("--base", default="d10ac51", help="revision to compare with (d10ac51)")
    parser.add_argument("--rounds", type=int, default=15, help="turns of each (15)")
    asked = parser.parse_args()
    with TemporaryDirectory(prefix="bukva-framing-") as name, ExitStack() as stack:
        folder = Path(name)
        write_images(folder)
        base = stack.enter_context(checked_out(asked.base, folder / "base"))
        projects = {asked.base: base, "here": HERE}
        workers = {
            name: stack.enter_context(working(project, folder))
            for name, project in projects.items()
        }
        took_us = measure(workers, asked.rounds)
    print(f"{'us an image':12}{asked.base:>10}{'here':>10}{'ratio':>8}{'target':>8}")
    ratios = {kind: took_us[kind, asked.base] / took_us[kind, "here"] for kind in KINDS}
    for kind in KINDS:
        times = f"{took_us[kind, asked.base]:>10.0f}{took_us[kind, 'here']:>10.0f}"
        print(f"{kind:12}{times}{ratios[kind]:>8.2f}{TARGETS.get(kind, '-'):>8}")
    rates = {name: 1e6 / took_us["arrays", name] for name in workers}
    shown = ", ".join(f"{name} {rate:,.0f}" for name, rate in rates.items())
    print(f"arrays, images/s a core: {shown}   load {os.getloadavg()[0]:.1f}")
    return all(ratios[kind] >= target for kind, target in TARGETS.items())


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
