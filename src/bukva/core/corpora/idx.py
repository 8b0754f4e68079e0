"""MNIST and EMNIST: gzipped idx files, images and labels apart.

The idx format is described on MNIST's page, http://yann.lecun.com/exdb/mnist/: two zero bytes, a
type, the number of dimensions, their sizes as big-endian 32-bit integers, then the values.

N = images, H = height and W = width in pixels.
"""

import gzip
import io
import math
import struct
import zlib
from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from bukva.core.alphabets import BYCLASS, DIGITS
from bukva.core.arrays import UInt8Array
from bukva.core.corpora.contents import content_of
from bukva.core.samples import RawSample
from bukva.errors import CorpusCorruptError

_UINT8_TYPE: Final = 0x08
_MAX_VALUES: Final = 2**30


def read_idx(content: bytes, name: str, dimensions: int) -> UInt8Array:
    """Return the array in a gzipped idx file of bytes; `name` is for errors.

    Raises:
        CorpusCorruptError: If it is not gzip, not idx of uint8 with so many dimensions, larger
            than 1 GiB, or shorter or longer than its header says.
    """
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            shape = _read_shape(file, name, dimensions)
            # One value more than expected tells a longer file, without unpacking it all.
            values = file.read(math.prod(shape) + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise CorpusCorruptError(f"Expected a gzip file, got {name}: {error}.") from None
    if len(values) != math.prod(shape):
        relation = "fewer" if len(values) < math.prod(shape) else "more"
        raise CorpusCorruptError(f"Expected {shape} values in {name}, got {relation}.")
    return np.frombuffer(values, dtype=np.uint8).reshape(shape)


def _read_shape(file: gzip.GzipFile, name: str, dimensions: int) -> tuple[int, ...]:
    expected = bytes((0, 0, _UINT8_TYPE, dimensions))
    header = file.read(4 + 4 * dimensions)
    if header[:4] != expected or len(header) != 4 + 4 * dimensions:
        got = header[:4].hex()
        raise CorpusCorruptError(f"Expected an idx file ({expected.hex()}), got {got!r} in {name}.")
    shape: tuple[int, ...] = struct.unpack(f">{dimensions}I", header[4:])
    if math.prod(shape) > _MAX_VALUES:
        raise CorpusCorruptError(f"Expected at most {_MAX_VALUES} values in {name}, got {shape}.")
    return shape


def _read_pair(files: Mapping[str, bytes], prefix: str) -> tuple[UInt8Array, UInt8Array]:
    """Return images (N, H, W), ink high on zero, and labels (N,) of one idx pair."""
    images_name, labels_name = f"{prefix}-images-idx3-ubyte.gz", f"{prefix}-labels-idx1-ubyte.gz"
    images_NHW = read_idx(content_of(files, images_name), images_name, dimensions=3)
    labels_N = read_idx(content_of(files, labels_name), labels_name, dimensions=1)
    if len(images_NHW) != len(labels_N):
        got = f"{len(images_NHW)} images and {len(labels_N)} labels"
        raise CorpusCorruptError(f"Expected as many images as labels in {prefix}-*, got {got}.")
    return images_NHW, labels_N


def read_mnist(files: Mapping[str, bytes]) -> Iterator[RawSample]:
    """Yield MNIST's digits in file order, named `train-00000` and `test-00000`.

    Raises:
        CorpusCorruptError: If its files are broken or hold labels other than 0 to 9.
    """
    for split, prefix in (("train", "train"), ("test", "t10k")):
        images_NHW, labels_N = _read_pair(files, prefix)
        if labels_N.size and labels_N.max() >= len(DIGITS):
            message = f"Expected labels 0 to 9 in {prefix}-labels-*, got {labels_N.max()}."
            raise CorpusCorruptError(message)
        for index, (image_HW, label) in enumerate(zip(images_NHW, labels_N, strict=True)):
            yield RawSample(
                name=f"{split}-{index:05d}",
                image=image_HW,
                label=DIGITS[label],
                split="train" if split == "train" else "test",
                has_page=False,
            )


def read_emnist(files: Mapping[str, bytes]) -> Iterator[RawSample]:
    """Yield the digits and Latin letters of EMNIST ByClass's test part, in file order.

    They are named `byclass-test-000000` by that order, their labels are those of `BYCLASS`. NIST
    stores these images with rows and columns exchanged; here they are upright. The corpus's name
    for its part is not taken over as a split: all of it may be trained on.

    Raises:
        CorpusCorruptError: If its files are broken, or hold labels other than 0 to 61.
    """
    images_NHW, labels_N = _read_pair(files, "emnist-byclass-test")
    if labels_N.size and labels_N.max() >= len(BYCLASS):
        message = f"Expected labels 0 to 61 in emnist-byclass-test-labels-*, got {labels_N.max()}."
        raise CorpusCorruptError(message)
    for index, (image_HW, label) in enumerate(zip(images_NHW, labels_N, strict=True)):
        yield RawSample(
            name=f"byclass-test-{index:06d}",
            image=np.ascontiguousarray(image_HW.T),
            label=BYCLASS[label],
            has_page=False,
        )
