"""How fast a line is told handwritten or printed, beside MobileNetV2 at 256 x 1024 in torch.

python benchmarks/documents.py [--model file.onnx] [--lines folder] [--rounds 200]

One thread, one process, by turns: the released model from the bytes of a file to its answer, and
the forward pass alone of the other, on a tensor that is there already. Lines are the PNG and JPEG
files of a folder, or without one drawn here. Processor time, as other programs share the machine.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

_WARM_UP: Final = 10
_PEER_EVERY: Final = 5
"""The peer is slow: it is asked once in so many rounds."""


def read_lines(folder: Path | None, count: int) -> list[bytes]:
    """Return files of lines."""
    from bukva.core.imaging.upscaling import encode_page
    from bukva.tasks.document.drawn_lines import draw_lines

    if folder is None:
        return [encode_page(np.asarray(line.image)) for line in draw_lines(count, seed=7)]
    paths = sorted(path for path in folder.rglob("*") if path.suffix in (".jpg", ".png"))
    chosen = np.random.default_rng(1).permutation(len(paths))[:count]
    return [paths[place].read_bytes() for place in chosen]


def time_ms(work: Callable[[], object]) -> float:
    """Return the milliseconds of processor time that some work takes."""
    started = time.process_time()
    work()
    return 1000 * (time.process_time() - started)


def main() -> None:
    """Measure and print a table."""
    import torch

    import bukva_released
    from bukva.tasks.document.networks import mobilenet_v2
    from bukva.tasks.document.recogniser import DocumentRecogniser

    released = Path(bukva_released.__file__).parent / "document" / "model.onnx"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=released)
    parser.add_argument("--lines", type=Path)
    parser.add_argument("--rounds", type=int, default=200)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    recogniser = DocumentRecogniser(arguments.model.read_bytes())
    features, channels = mobilenet_v2(1)
    peer = torch.nn.Sequential(
        features, torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(channels, 2)
    ).eval()
    picture = torch.rand(1, 1, 256, 1024)
    lines = read_lines(arguments.lines, arguments.rounds + _WARM_UP)
    ours, theirs = [], []
    with torch.inference_mode():
        for place, line in enumerate(lines):
            ours.append(time_ms(lambda line=line: recogniser.answer([line])))
            if place % _PEER_EVERY == 0:
                theirs.append(time_ms(lambda: peer(picture)))
    print(f"{len(lines) - _WARM_UP} lines\n")
    print("| what | median, ms | 99th percentile, ms |\n| --- | --- | --- |")
    for name, times in (
        ("bytes of a line to its answer, the released model", ours[_WARM_UP:]),
        ("MobileNetV2 at 256 x 1024, torch eager, forward alone", theirs[2:]),
    ):
        print(f"| {name} | {np.median(times):.1f} | {np.percentile(times, 99):.1f} |")
    print(f"\nThe first is {np.median(theirs[2:]) / np.median(ours[_WARM_UP:]):.1f} times as fast.")


if __name__ == "__main__":
    main()
