import hashlib

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage

from bukva.core.duplicates import (
    NEAR_DUPLICATE_COSINE,
    duplicate_report,
    find_copies,
    find_duplicates,
)
from bukva.errors import TableError


def draw(count: int, seed: int = 0) -> np.ndarray:
    """Draw smooth random shapes, uint8 `(count, 28, 28)`: no two are alike."""
    noise = np.random.default_rng(seed).random((count, 28, 28))
    shapes = ndimage.gaussian_filter(noise, (0, 2.5, 2.5))
    is_ink = shapes > np.quantile(shapes, 0.8, axis=(1, 2), keepdims=True)
    return (255 * ndimage.gaussian_filter(is_ink.astype(float), (0, 0.5, 0.5))).astype(np.uint8)


def checksums(images: np.ndarray) -> pd.Series:
    return pd.Series([hashlib.sha256(image.tobytes()).hexdigest() for image in images])


def find(images: np.ndarray, labels: list[str], threshold: float = NEAR_DUPLICATE_COSINE):
    return find_duplicates(images, pd.Series(labels), checksums(images), threshold)


def test_distinct_shapes_stand_alone():
    assert len(set(find(draw(60), ["а"] * 60))) == 60


def test_an_injected_exact_copy_is_found_even_with_another_label():
    images = draw(40)
    images[37] = images[5]
    clusters = find(images, ["а"] * 37 + ["б"] * 3)
    assert clusters[37] == clusters[5]
    assert len(set(clusters)) == 39


def test_an_injected_near_copy_is_found_within_its_label_only():
    images = draw(40)
    noise = np.random.default_rng(1).integers(-12, 13, (28, 28))
    images[37] = np.clip(images[5].astype(int) + noise, 0, 255)
    images[38] = np.clip(images[6].astype(int) + noise, 0, 255)
    clusters = find(images, ["а"] * 38 + ["б"] * 2)
    assert clusters[37] == clusters[5]
    assert clusters[38] != clusters[6]


def test_near_copies_are_found_across_blocks_of_rows():
    images = draw(2300)
    images[2299] = images[3]
    images[2299, 10:12, 10:12] ^= 8
    clusters = find(images, ["а"] * 2300)
    assert clusters[2299] == clusters[3]
    assert len(set(clusters)) == 2299


def test_a_copy_of_a_copy_belongs_to_all():
    images = draw(12)
    faded = images[0].astype(float)
    for step in range(1, 12):
        images[step] = (1 - step / 22) * faded + (step / 22) * draw(1, seed=9)[0]
    assert len(set(find(images, ["а"] * 12))) == 1
    ends = images[[0, 11]].reshape(2, -1).astype(float)
    assert ends[0] @ ends[1] / np.prod(np.linalg.norm(ends, axis=1)) < NEAR_DUPLICATE_COSINE


def test_the_threshold_decides():
    images = draw(2)
    assert find(images, ["а", "а"], threshold=0.0)[1] == 0
    assert len(set(find(images, ["а", "а"], threshold=0.99))) == 2


def test_empty_images_of_different_corpora_are_copies_and_harm_nothing():
    images = draw(4)
    images[[1, 3]] = 0
    clusters = find(images, ["а"] * 4)
    assert clusters[1] == clusters[3]
    assert len(set(clusters)) == 3


def test_no_images_have_no_clusters():
    assert find(np.zeros((0, 28, 28), np.uint8), []).shape == (0,)


def test_copies_of_others_are_found_across_blocks_of_rows():
    others = draw(1500, seed=1)
    images = draw(6, seed=2)
    images[1], images[4] = others[3], np.roll(others[1400], 1, axis=0) // 2 + others[1400] // 2
    others[1100] = images[5]
    assert list(np.flatnonzero(find_copies(images, others, 0.9))) == [1, 4, 5]
    assert list(np.flatnonzero(find_copies(images, others, 0.9999))) == [1, 5]


def test_nothing_is_a_copy_of_nothing():
    images = draw(3)
    assert not find_copies(images, images[:0]).any()
    assert find_copies(images[:0], images).shape == (0,)


def test_lengths_must_agree():
    with pytest.raises(TableError, match="each of 3 images, got 2 and 3"):
        find(draw(3), ["а", "а"])


def test_report_by_hand():
    table = pd.DataFrame(
        {
            "corpus": ["screen", "screen", "paper", "paper", "paper", "paper"],
            "label": ["а", "а", "а", "б", "в", "г"],
            "sha256": ["p", "p", "q", "r", "s", "s"],
            "cluster": [0, 0, 0, 1, 2, 2],
            "split": ["test", "drop", "drop", "train", "train", "train"],
        }
    )
    assert duplicate_report(table) == {
        "exact_pairs": 2,
        "near_pairs": 2,
        "clustered_samples": 5,
        "conflicting_clusters": 1,
        "dropped": 2,
        "paper.dropped": 1,
        "screen.dropped": 1,
    }
