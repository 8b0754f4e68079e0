"""Lines of all widths as a training holds them, and batches of them.

Shapes: N lines, B of them in a batch, H x W pixels, C columns of all lines one after the other,
L characters of a batch one after the other.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bukva.core.arrays import UInt8Array
from bukva.tasks.line.framing import HEIGHT, STRIDE


class Batch(NamedTuple):
    """Lines side by side, and what they say.

    Attributes:
        ink_B1HW: Ink 0..1, padded with 0 at the right to a multiple of 4.
        widths_B: Where each ends, in pixels.
        labels_L: Indices of the characters.
        lengths_B: How many of them each line has.
    """

    ink_B1HW: Tensor
    widths_B: Tensor
    labels_L: Tensor
    lengths_B: Tensor


@dataclass(frozen=True)
class Lines:
    """Pixels and labels without padding, so that lines of all widths fit into memory.

    Attributes:
        columns_CH: uint8 ink, from the first column of the first line on.
        widths_N: Columns of each.
        labels: Indices of the characters of each.
    """

    columns_CH: Tensor
    widths_N: NDArray[np.int64]
    labels: tuple[NDArray[np.int64], ...]

    @classmethod
    def of(cls, images: Iterable[UInt8Array], labels: Iterable[list[int]]) -> Self:
        """Take lines `(H, W)` of any widths, and the indices of their characters."""
        columns = [np.ascontiguousarray(image_HW.T) for image_HW in images]
        widths_N = np.array([len(each) for each in columns], dtype=np.int64)
        empty = np.zeros((0, HEIGHT), dtype=np.uint8)
        columns_CH = torch.from_numpy(np.concatenate([empty, *columns]))
        kept = tuple(np.array(label, dtype=np.int64) for label in labels)
        return cls(columns_CH, widths_N, kept)

    def __len__(self) -> int:
        """How many lines there are."""
        return len(self.widths_N)

    def digest(self) -> str:
        """Return a sha256 over all of it."""
        digest = hashlib.sha256(self.columns_CH.cpu().numpy().tobytes())
        for each in (self.widths_N, *self.labels):
            digest.update(each.tobytes() + b"\n")
        return digest.hexdigest()

    def to(self, device: torch.device) -> "Lines":
        """Return the same lines, their pixels on a device."""
        return Lines(self.columns_CH.to(device), self.widths_N, self.labels)

    def batch(self, chosen: Iterable[int]) -> Batch:
        """Return some lines side by side."""
        places = list(chosen)
        widths_B = self.widths_N[places]
        starts_B = np.cumsum(self.widths_N)[places] - widths_B
        width = max(STRIDE, -(-int(widths_B.max()) // STRIDE) * STRIDE)
        device = self.columns_CH.device
        images_BWH = torch.zeros((len(places), width, HEIGHT), dtype=torch.uint8, device=device)
        for row, (start, columns) in enumerate(zip(starts_B, widths_B, strict=True)):
            images_BWH[row, :columns] = self.columns_CH[start : start + columns]
        labels = [self.labels[place] for place in places]
        return Batch(
            (images_BWH.transpose(1, 2).unsqueeze(1).float() / 255.0).contiguous(),
            torch.from_numpy(widths_B).to(device),
            torch.from_numpy(np.concatenate(labels)).to(device),
            torch.tensor([len(label) for label in labels], device=device),
        )

    def batches_alike(self, size: int) -> list[NDArray[np.int64]]:
        """Return all lines in batches of like widths."""
        order_N = np.argsort(self.widths_N, kind="stable")
        return np.split(order_N, range(size, len(order_N), size))
