"""The classic baseline: one decision tree on 784 pixels.

Shapes: N images, H x W pixels, K labels.
"""

from typing import Final, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.tree import DecisionTreeClassifier

from bukva.data.samples import Float32Array, UInt8Array

_NODE_BYTES: Final = 2 * 4 + 2 + 1 + 1
"""Two children, the pixel, its threshold and the label, in the smallest types that hold them."""


class DecisionTree:
    """CART (Breiman et al. 1984) with Gini's impurity, grown until every leaf is of one label.

    It is no network: no page, no case, no probabilities worth the name.
    """

    def __init__(self, fitted: DecisionTreeClassifier, label_count: int) -> None:
        self._fitted = fitted
        self._label_count = label_count

    @classmethod
    def fit(
        cls, images_NHW: UInt8Array, labels_N: NDArray[np.int64], label_count: int, seed: int
    ) -> Self:
        """Return a tree grown on images.

        Args:
            images_NHW: Of any size, the same later.
            labels_N: 0..label_count - 1.
            label_count: How many labels there are, whether or not they occur.
            seed: Decides between equally good splits.
        """
        tree = DecisionTreeClassifier(random_state=seed)
        return cls(tree.fit(_as_rows(images_NHW), labels_N), label_count)

    def probabilities(self, images_NHW: UInt8Array) -> Float32Array:
        """Return `(N, K)`, the shares of the labels in the leaf that each image falls into."""
        label_NK = np.zeros((len(images_NHW), self._label_count), dtype=np.float32)
        label_NK[:, self._fitted.classes_] = self._fitted.predict_proba(_as_rows(images_NHW))
        return label_NK

    @property
    def nodes(self) -> int:
        """How many there are, leaves included."""
        return int(self._fitted.tree_.node_count)

    @property
    def estimated_bytes(self) -> int:
        """How large a plain file of the tree would be."""
        return self.nodes * _NODE_BYTES


def _as_rows(images_NHW: UInt8Array) -> UInt8Array:
    return images_NHW.reshape(len(images_NHW), -1)
