"""Many small images, made in a minute: embedded symbols, each turned, scaled and shifted anew.

Shapes: N images, H = W = 28 pixels.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch.nn import functional

from bukva.core.arrays import UInt8Array
from bukva.core.imaging.upscaling import encode_page
from bukva.tasks.glyph.embedded import draw_letters_and_digits
from bukva.tasks.glyph.preprocessing import preprocess

SIDE_PX = 28
_AT_ONCE = 5_000


def draw_blocks(count: int, seed: int = 1) -> Iterator[tuple[UInt8Array, list[str]]]:
    """Yield so many images in all, ink high on zero, with their labels."""
    samples = list(draw_letters_and_digits(samples_per_symbol=4, seed=seed))
    frames = torch.tensor(np.stack([preprocess(sample.image).image_HW for sample in samples]))
    labels = [sample.label for sample in samples]
    rng = torch.Generator().manual_seed(seed)
    for start in range(0, count, _AT_ONCE):
        size = min(_AT_ONCE, count - start)
        chosen = torch.randint(len(frames), (size,), generator=rng)
        yield _vary(frames[chosen], rng), [labels[place] for place in chosen.tolist()]


def _vary(frames_NHW: torch.Tensor, rng: torch.Generator) -> UInt8Array:
    count = len(frames_NHW)
    affine_N23 = torch.eye(2, 3).repeat(count, 1, 1)
    affine_N23[:, :, :2] += 0.15 * torch.randn(count, 2, 2, generator=rng).clamp(-2, 2)
    affine_N23[:, :, 2] += 0.05 * torch.randn(count, 2, generator=rng).clamp(-2, 2)
    grid = functional.affine_grid(affine_N23, [count, 1, SIDE_PX, SIDE_PX], align_corners=False)
    varied = functional.grid_sample(frames_NHW[:, None].float(), grid, align_corners=False)
    return varied[:, 0].round().to(torch.uint8).numpy()


def write_arrays(path: Path, count: int) -> None:
    """Write images as one `.npy` file, a block at a time."""
    header = {"descr": "|u1", "fortran_order": False, "shape": (count, SIDE_PX, SIDE_PX)}
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for images_NHW, _ in draw_blocks(count):
            file.write(images_NHW.tobytes())


def write_pngs(path: Path, count: int) -> None:
    """Write images as PNG files in the column `image` of a Parquet file, dark on light."""
    with pq.ParquetWriter(path, pa.schema({"image": pa.binary()})) as writer:
        for images_NHW, _ in draw_blocks(count):
            encoded = [encode_page(255 - image_HW) for image_HW in images_NHW]
            writer.write_table(pa.table({"image": encoded}))
