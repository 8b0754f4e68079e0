import numpy as np
import pytest

from bukva.models.decision_tree import DecisionTree


def fit(samples, label_count=43, seed=1):
    return DecisionTree.fit(samples.images_NHW, samples.labels_N, label_count, seed)


def test_a_tree_knows_what_it_was_grown_on(drawn_samples):
    label_NK = fit(drawn_samples).probabilities(drawn_samples.images_NHW)
    assert label_NK.dtype == np.float32
    np.testing.assert_array_equal(label_NK.argmax(axis=1), drawn_samples.labels_N)
    np.testing.assert_array_equal(label_NK.sum(axis=1), 1.0)


def test_a_label_that_did_not_occur_has_its_column(drawn_samples):
    is_low_N = drawn_samples.labels_N % 2 == 0
    images, labels = drawn_samples.images_NHW[is_low_N], drawn_samples.labels_N[is_low_N]
    label_NK = DecisionTree.fit(images, labels, 43, seed=1).probabilities(drawn_samples.images_NHW)
    assert label_NK.shape == (len(drawn_samples), 43)
    assert set(label_NK.argmax(axis=1)) == set(labels)


def test_the_seed_decides_between_equal_splits(drawn_samples):
    noise = np.random.default_rng(1).integers(0, 256, (50, 28, 28), dtype=np.uint8)
    first, same, other = (fit(drawn_samples, seed=seed).probabilities(noise) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("halves", [2, 4])
def test_the_size_follows_from_the_nodes(halves):
    """One pixel tells the halves apart: a root, its two children, theirs."""
    images = np.zeros((halves, 28, 28), dtype=np.uint8)
    images[:, 3, 3] = np.arange(halves) * 60
    tree = DecisionTree.fit(images, np.arange(halves), halves, seed=1)
    assert tree.nodes == 2 * halves - 1
    assert tree.estimated_bytes == 12 * tree.nodes
