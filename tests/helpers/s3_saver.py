"""Saves an array in a process of its own, which may be killed while it does."""

import numpy as np

SIDE = 2048
"""Of an array of 4 MiB."""
PART_BYTES = 5 * 2**20
"""The least that S3 takes as a part."""


def array(value: int, layers: int) -> np.ndarray:
    return np.full((layers, SIDE, SIDE), value, dtype=np.uint8)


def save_array(environment: dict[str, str], address: str, value: int, layers: int) -> None:
    from object_store import s3_is

    from bukva.datasets import s3
    from bukva.datasets.files import ArrayDataset

    s3.PART_BYTES = PART_BYTES
    with s3_is(environment):
        ArrayDataset(filepath=address).save(array(value, layers))
