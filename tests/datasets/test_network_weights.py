"""Weights with their specification in one file; weights of others that may be absent."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from kedro.io import DatasetError
from safetensors.numpy import save

from bukva.core.networks import NetworkWeights
from bukva.datasets.models import NetworkWeightsDataset, PretrainedDataset
from bukva.errors import ModelFormatError


def test_weights_and_specification_come_back_whatever_the_order_of_memory(tmp_path: Path) -> None:
    dataset = NetworkWeightsDataset(filepath=str(tmp_path / "deep" / "model.safetensors"))
    kernel = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    spec = {"labels": ["handwritten", "printed"], "temperature": 0.7}
    dataset.save(NetworkWeights({"kernel": np.asfortranarray(kernel)}, spec))
    found = dataset.load()
    np.testing.assert_array_equal(found.weights["kernel"], kernel)
    assert found.spec == spec


@pytest.mark.parametrize("content", [b"no weights", save({"a": np.zeros(2)})])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(DatasetError) as raised:
        NetworkWeightsDataset(filepath=str(path)).load()
    assert isinstance(raised.value.__cause__, ModelFormatError)
    assert "training stage" in str(raised.value.__cause__)


def write_arrays(path: Path) -> str:
    np.savez(path, kernel=np.asfortranarray(np.ones((2, 3), np.float32)))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_pretrained_weights_are_read_if_they_are_those_that_are_named(tmp_path: Path) -> None:
    path = tmp_path / "weights.npz"
    sha256 = write_arrays(path)
    found = PretrainedDataset(filepath=str(path), sha256=sha256).load()
    assert found is not None
    assert found["kernel"].flags["C_CONTIGUOUS"]
    with pytest.raises(DatasetError) as raised:
        PretrainedDataset(filepath=str(path), sha256="0" * 64).load()
    assert sha256 in str(raised.value.__cause__)


def test_absent_pretrained_weights_are_none(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    dataset = PretrainedDataset(filepath=str(tmp_path / "none.npz"), sha256="0" * 64)
    assert not dataset.exists()
    assert dataset.load() is None
    assert "starts at random" in caplog.text
