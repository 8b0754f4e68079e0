"""Copies and near copies of one drawing, so that none stands on both sides of a split.

Shapes: N samples, M of them of one label, B and C rows of blocks, P = H * W pixels.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from bukva.core.arrays import Float32Array, UInt8Array
from bukva.core.scratch_table import hash_texts, number_texts
from bukva.errors import TableError

NEAR_DUPLICATE_COSINE: Final = 0.985
"""Cosine similarity of two framed symbols from which they count as copies of one drawing.

Chosen by measurement. Share of samples that have such a neighbour of their own label:

| cosine above | mnist (its 1s) | cyrillic_mnist | comnist | rukopys |
|---|---|---|---|---|
| 0.970 | 6.07 % (52.8 %) | 0.10 % | 0.49 % | 0 |
| 0.980 | 1.80 % (16.0 %) | 0.04 % | 0.19 % | 0 |
| 0.985 | 0.34 % (3.0 %) | 0.02 % | 0.12 % | 0 |
| 0.990 | 0.01 % (0.1 %) | 0.01 % | 0.11 % | 0 |

The 0.11 % of comnist that stay at 0.998 are true copies; below 0.985 simple strokes (1, г, о, ь) of
different people begin to look alike. Of real copies, 0.985 finds 99 % saved again as JPEG of
quality 85 and about 75 % scaled to three quarters or three halves (0.990: 79 % of comnist, 56 % of
rukopys). The rest are missed where rounding moves the centre of mass by a pixel.
"""

_BLOCK_ROWS: Final = 1024
_COMPARED_ROWS: Final = 2 * _BLOCK_ROWS
"""How many rows a block is compared with at once: 6 MB of them, and 8 MB of their likeness."""

Edges = NDArray[np.int64]


def find_duplicates(
    images_NHW: UInt8Array,
    labels: pd.Series,
    sha256: pd.Series,
    threshold_cosine: float = NEAR_DUPLICATE_COSINE,
) -> NDArray[np.int64]:
    """Return the cluster of each sample: copies of one drawing have one number.

    Exact copies (equal `sha256`) are joined across everything, near copies within a label. Copies
    of copies belong together, so a cluster can hold two samples less alike than the threshold.

    Args:
        images_NHW: uint8, framed by `bukva.tasks.glyph.preprocessing`, ink high on zero.
        labels: `(N,)` labels of `bukva.tasks.glyph.charset`.
        sha256: `(N,)` checksums of the images.
        threshold_cosine: Cosine similarity, 0..1, above which two images are near copies.

    Returns:
        `(N,)` cluster numbers from 0.

    Raises:
        TableError: If there is not one label and one checksum for each image.
    """
    if not len(images_NHW) == len(labels) == len(sha256):
        message = (
            f"Expected a label and a checksum for each of {len(images_NHW)} images, got "
            f"{len(labels)} and {len(sha256)}."
        )
        raise TableError(message)
    labels_N, checksums = number_texts(labels, labels.unique()), pd.Series(hash_texts(sha256))
    edges = [_equal_pairs(checksums)]
    # A copy stands for all exact copies: thousands of equal images stay cheap.
    is_first_N = ~checksums.duplicated().to_numpy()
    for label in np.unique(labels_N[is_first_N]):
        rows = np.flatnonzero(is_first_N & (labels_N == label))
        edges += [rows[pair] for pair in _near_pairs(images_NHW, rows, threshold_cosine)]
    return _components(np.concatenate(edges, axis=1), len(checksums))


def _equal_pairs(values: pd.Series) -> Edges:
    """Return `(2, E)`: the row of each value that comes again, and the first row of the same."""
    rows_M = np.flatnonzero(values.duplicated(keep=False))
    _, first_U, unique_M = np.unique(values[rows_M], return_index=True, return_inverse=True)
    return np.stack([rows_M, rows_M[first_U[unique_M]]])


def find_copies(
    images_NHW: UInt8Array,
    others_MHW: UInt8Array,
    threshold_cosine: float = NEAR_DUPLICATE_COSINE,
) -> NDArray[np.bool_]:
    """Return `(N,)`, whether each image is a copy of any of the others, whatever their labels.

    Args:
        images_NHW: uint8, framed by `bukva.tasks.glyph.preprocessing`, ink high on zero.
        others_MHW: The same, of samples that must not come again.
        threshold_cosine: Cosine similarity, 0..1, above which two images are near copies.
    """
    is_copy_N = np.zeros(len(images_NHW), dtype=bool)
    if not len(images_NHW):
        return is_copy_N
    unit_NP = _unit_rows(images_NHW)
    for start in range(0, len(others_MHW), _BLOCK_ROWS):
        block_BP = _unit_rows(others_MHW[start : start + _BLOCK_ROWS])
        is_copy_N |= (unit_NP @ block_BP.T > threshold_cosine).any(axis=1)
    return is_copy_N


def _near_pairs(
    images_NHW: UInt8Array, rows_M: NDArray[np.int64], threshold_cosine: float
) -> Iterator[Edges]:
    """Yield `(2, E)` pairs of places in `rows_M` above the threshold, block by block."""
    for left in range(0, len(rows_M), _COMPARED_ROWS):
        others_CP = _unit_rows(images_NHW[rows_M[left : left + _COMPARED_ROWS]])
        for start in range(0, left + len(others_CP), _BLOCK_ROWS):
            if start >= left:
                block_BP = others_CP[start - left : start - left + _BLOCK_ROWS]
            else:
                block_BP = _unit_rows(images_NHW[rows_M[start : start + _BLOCK_ROWS]])
            first = max(start, left)
            likeness_BC = block_BP @ others_CP[first - left :].T
            one, other = np.nonzero(likeness_BC > threshold_cosine)
            pairs = np.stack([one + start, other + first])
            yield pairs[:, pairs[1] > pairs[0]]


def _unit_rows(images_NHW: UInt8Array) -> Float32Array:
    """Return the pixels as rows of length 1; an empty image stays zero and is like nothing."""
    pixels_NP = images_NHW.reshape(len(images_NHW), -1).astype(np.float32)
    length_N1 = np.linalg.norm(pixels_NP, axis=1, keepdims=True)
    unit_NP: Float32Array = pixels_NP / np.maximum(length_N1, np.float32(1e-6))
    return unit_NP


def _components(edges: Edges, count: int) -> NDArray[np.int64]:
    graph = coo_array((np.ones(edges.shape[1], dtype=bool), (edges[0], edges[1])), (count, count))
    _, cluster_N = connected_components(graph, directed=False)
    return cluster_N.astype(np.int64)


def duplicate_report(table: pd.DataFrame) -> dict[str, int]:
    """Return how many copies a table holds and what was done with them.

    Args:
        table: One row a sample, with `corpus`, `label`, `sha256`, `cluster` and `split`.

    Returns:
        `exact_pairs` (equal checksums), `near_pairs` (in one cluster, not equal; copies of copies
        count too), `clustered_samples` (that have any copy), `conflicting_clusters` (copies with
        different labels: someone erred), `dropped` (split `drop`) and `<corpus>.dropped`.
    """
    cluster = table["cluster"]
    is_clustered = cluster.duplicated(keep=False)
    labels = table["label"][is_clustered].groupby(cluster[is_clustered]).nunique()
    exact_pairs, cluster_pairs = _pairs(hash_texts(table["sha256"])), _pairs(cluster.to_numpy())
    dropped = table["corpus"][table["split"].eq("drop")].value_counts()
    corpora = sorted(table["corpus"].unique())
    return {
        "exact_pairs": exact_pairs,
        "near_pairs": cluster_pairs - exact_pairs,
        "clustered_samples": int(is_clustered.sum()),
        "conflicting_clusters": int((labels > 1).sum()),
        "dropped": int(dropped.sum()),
    } | {f"{corpus}.dropped": int(dropped.get(corpus, 0)) for corpus in corpora}


def _pairs(numbers_N: NDArray[np.integer]) -> int:
    """Return how many pairs of equal numbers there are."""
    _, size_U = np.unique(numbers_N, return_counts=True)
    return int((size_U * (size_U - 1) // 2).sum())
