import gzip
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from bukva.core.alphabets import DIGITS
from bukva.core.arrays import UInt8Array
from bukva.core.corpora.idx import read_emnist, read_idx, read_mnist
from bukva.core.samples import RawSample
from bukva.errors import CorpusCorruptError, CorpusMissingError


def idx(array: UInt8Array) -> bytes:
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return gzip.compress(header + array.tobytes(), compresslevel=1)


def mnist_files(train_labels: list[int], test_labels: list[int]) -> dict[str, bytes]:
    files = {}
    for prefix, labels in (("train", train_labels), ("t10k", test_labels)):
        images = np.arange(len(labels) * 6, dtype=np.uint8).reshape(-1, 2, 3)
        files[f"{prefix}-images-idx3-ubyte.gz"] = idx(images)
        files[f"{prefix}-labels-idx1-ubyte.gz"] = idx(np.array(labels, dtype=np.uint8))
    return files


@given(arrays(np.uint8, array_shapes(min_dims=3, max_dims=3, max_side=6)))
def test_an_array_comes_back_as_it_was_written(array: UInt8Array) -> None:
    np.testing.assert_array_equal(read_idx(idx(array), "x", dimensions=3), array)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_by_name(content: bytes) -> None:
    for candidate in (content, gzip.compress(content)):
        try:
            read_idx(candidate, "some.gz", dimensions=1)
        except CorpusCorruptError as error:
            assert "some.gz" in str(error)  # noqa: PT017 - either outcome is right


def test_a_header_that_promises_another_size_is_refused() -> None:
    whole = gzip.decompress(idx(np.zeros((2, 3, 3), dtype=np.uint8)))
    for content, got in ((whole[:-1], "fewer"), (whole + b"\0", "more")):
        with pytest.raises(CorpusCorruptError, match=got):
            read_idx(gzip.compress(content), "x", dimensions=3)


def test_a_header_that_promises_too_much_is_refused_before_it_is_unpacked() -> None:
    header = struct.pack(">BBBB3I", 0, 0, 8, 3, 2**31, 2**10, 2**10)
    with pytest.raises(CorpusCorruptError, match="at most"):
        read_idx(gzip.compress(header), "x", dimensions=3)


def test_a_truncated_gzip_file_is_refused() -> None:
    content = idx(np.random.default_rng(0).integers(0, 256, (9, 9, 9), dtype=np.uint8))
    with pytest.raises(CorpusCorruptError, match=r"cut\.gz"):
        read_idx(content[: len(content) // 2], "cut.gz", dimensions=3)


def test_mnist_keeps_its_own_split_and_order() -> None:
    samples = list(read_mnist(mnist_files([5, 0], [7])))
    assert [(s.name, s.label, s.split) for s in samples] == [
        ("train-00000", "5", "train"),
        ("train-00001", "0", "train"),
        ("test-00000", "7", "test"),
    ]
    np.testing.assert_array_equal(samples[1].image, [[6, 7, 8], [9, 10, 11]])
    assert all(s.is_uppercase is None and not s.has_page for s in samples)


def test_mnist_refuses_labels_that_are_no_digits() -> None:
    with pytest.raises(CorpusCorruptError, match="got 10"):
        list(read_mnist(mnist_files([10], [0])))


def test_mnist_refuses_images_without_labels() -> None:
    files = mnist_files([1, 2], [3])
    files["train-labels-idx1-ubyte.gz"] = idx(np.array([1], dtype=np.uint8))
    with pytest.raises(CorpusCorruptError, match="2 images and 1 labels"):
        list(read_mnist(files))


def test_a_missing_file_is_named() -> None:
    files = mnist_files([1], [2])
    del files["t10k-labels-idx1-ubyte.gz"]
    with pytest.raises(CorpusMissingError, match="t10k-labels"):
        list(read_mnist(files))


def test_emnist_is_turned_upright() -> None:
    images = np.arange(24, dtype=np.uint8).reshape(4, 2, 3)
    files = {
        "emnist-byclass-test-images-idx3-ubyte.gz": idx(images),
        "emnist-byclass-test-labels-idx1-ubyte.gz": idx(np.array([3, 10, 9, 15], dtype=np.uint8)),
    }
    samples = list(read_emnist(files))
    assert [(s.name, s.label) for s in samples] == [
        ("byclass-test-000000", "3"),
        ("byclass-test-000001", "A"),
        ("byclass-test-000002", "9"),
        ("byclass-test-000003", "F"),
    ]
    np.testing.assert_array_equal(samples[2].image, images[2].T)


def test_a_label_beyond_the_classes_of_emnist_is_refused() -> None:
    files = {
        "emnist-byclass-test-images-idx3-ubyte.gz": idx(np.zeros((1, 2, 3), dtype=np.uint8)),
        "emnist-byclass-test-labels-idx1-ubyte.gz": idx(np.array([62], dtype=np.uint8)),
    }
    with pytest.raises(CorpusCorruptError, match=r"labels 0 to 61 in .*, got 62"):
        list(read_emnist(files))


def mean_images(samples: Iterator[RawSample]) -> dict[str, Any]:
    by_label: dict[str, list[Any]] = {}
    for sample in samples:
        by_label.setdefault(sample.label, []).append(sample.image)
    return {label: np.mean(images[:500], axis=0) for label, images in by_label.items()}


def correlation(first: Any, second: Any) -> float:
    return float(np.corrcoef(first.ravel(), second.ravel())[0, 1])


@pytest.mark.corpora
def test_emnist_digits_stand_as_mnist_digits_do(read_corpus: Any) -> None:
    emnist = mean_images(read_emnist(read_corpus("emnist")))
    mnist = mean_images(read_mnist(read_corpus("mnist")))
    upright = {digit: correlation(emnist[digit], mnist[digit]) for digit in DIGITS}
    turned = {digit: correlation(emnist[digit], mnist[digit].T) for digit in DIGITS}
    assert all(upright[digit] > turned[digit] for digit in DIGITS)
    assert upright["1"] > 0.9
    assert turned["1"] < 0.5


@pytest.mark.corpora
def test_mnist_counts(read_corpus: Any) -> None:
    splits = [sample.split for sample in read_mnist(read_corpus("mnist"))]
    assert (splits.count("train"), splits.count("test")) == (60_000, 10_000)
