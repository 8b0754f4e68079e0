"""Datasets of one file: what goes in comes out, on local disk and on S3; what is broken is said."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kedro.io import DatasetError
from safetensors.numpy import save

from bukva.datasets import models
from bukva.datasets.files import ArrayDataset, FolderDataset, IfThereDataset, RecogniserDataset
from bukva.datasets.models import CheckpointDataset, TrainedModelDataset
from bukva.errors import BukvaError, ModelFormatError
from bukva.tasks.glyph.recogniser import Recogniser
from bukva.tasks.glyph.trained import TrainedModel


def cause_of(error: BaseException) -> BukvaError:
    cause = error.__cause__
    assert isinstance(cause, BukvaError)
    return cause


@pytest.mark.parametrize("dtype", ["uint8", "float32", "bool"])
def test_an_array_comes_back(tmp_path: Path, dtype: str) -> None:
    dataset = ArrayDataset(filepath=str(tmp_path / "deep" / "images.npy"))
    images_NHW = np.random.default_rng(0).integers(0, 2, (3, 4, 5)).astype(dtype)
    assert not dataset.exists()
    dataset.save(images_NHW)
    found = dataset.load()
    assert dataset.exists()
    assert found.dtype == images_NHW.dtype
    np.testing.assert_array_equal(found, images_NHW)


def test_a_loaded_array_and_its_file_do_not_change_each_other(tmp_path: Path) -> None:
    """The file is mapped, and yet nobody sees what others do."""
    dataset = ArrayDataset(filepath=str(tmp_path / "images.npy"))
    dataset.save(np.zeros((3, 4), dtype=np.uint8))
    first, second = dataset.load(), dataset.load()
    first[1] = 7
    np.testing.assert_array_equal(second, np.zeros((3, 4)))
    np.testing.assert_array_equal(dataset.load(), np.zeros((3, 4)))


def test_an_array_without_rows_comes_back(tmp_path: Path) -> None:
    dataset = ArrayDataset(filepath=str(tmp_path / "images.npy"))
    dataset.save(np.zeros((0, 28, 28), dtype=np.uint8))
    assert dataset.load().shape == (0, 28, 28)


def test_an_array_of_objects_is_refused(tmp_path: Path) -> None:
    """It would be a pickle, which runs code when it is read."""
    dataset = ArrayDataset(filepath=str(tmp_path / "objects.npy"))
    with pytest.raises(DatasetError, match="pickle"):
        dataset.save(np.array([{}], dtype=object))
    assert not dataset.exists()


def test_the_same_dataset_works_on_s3(s3: Any, s3_server: dict[str, str]) -> None:
    dataset = ArrayDataset(filepath="s3://bukva/03_primary/images.npy")
    assert not dataset.exists()
    dataset.save(np.arange(6).reshape(2, 3))
    np.testing.assert_array_equal(dataset.load(), [[0, 1, 2], [3, 4, 5]])
    assert s3.exists("bukva/03_primary/images.npy")
    dataset.beside().remove()
    assert not dataset.exists()


def test_a_trained_model_comes_back(tmp_path: Path, random_model: TrainedModel) -> None:
    dataset = TrainedModelDataset(filepath=str(tmp_path / "model.safetensors"))
    dataset.save(random_model)
    found = dataset.load()
    assert found.spec == random_model.spec
    assert found.digest() == random_model.digest()
    assert {path.name for path in tmp_path.iterdir()} == {"model.safetensors", "model.json"}
    # A person can read what it is.
    assert json.loads((tmp_path / "model.json").read_text())["network"] == "glyph_cnn"


STRIDES = {
    "transposed": np.asfortranarray,
    "reversed": lambda values: values[::-1, ::-1],
    "every other": lambda values: np.repeat(values, 2, axis=0)[::2],
    "broadcast": lambda values: np.broadcast_to(values[:1], values.shape),
}


@pytest.mark.parametrize("laid_out", STRIDES.values(), ids=STRIDES)
def test_weights_come_back_however_they_lie_in_memory(
    tmp_path: Path, random_model: TrainedModel, laid_out: Any
) -> None:
    weights = {
        name: laid_out(values) if values.ndim == 2 else values
        for name, values in random_model.weights.items()
    }
    assert not all(values.flags.c_contiguous for values in weights.values())
    model = replace(random_model, weights=weights)
    dataset = TrainedModelDataset(filepath=str(tmp_path / "model.safetensors"))
    dataset.save(model)
    assert dataset.load().digest() == model.digest()


def test_weights_that_the_format_changed_are_refused(
    tmp_path: Path, random_model: TrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As safetensors 0.8 does, where nobody lays them out for it."""
    name, values = next((n, v) for n, v in random_model.weights.items() if v.ndim == 2)
    weights = {**random_model.weights, name: np.asfortranarray(values)}
    dataset = TrainedModelDataset(filepath=str(tmp_path / "model.safetensors"))
    packed = save(weights)
    monkeypatch.setattr(models, "save", lambda _: packed)
    dataset.save(replace(random_model, weights=weights))
    with pytest.raises(DatasetError, match="changed on their way") as caught:
        dataset.load()
    assert isinstance(cause_of(caught.value), ModelFormatError)


def test_a_model_of_a_former_version_has_no_digest_of_values(
    tmp_path: Path, random_model: TrainedModel
) -> None:
    dataset = TrainedModelDataset(filepath=str(tmp_path / "model.safetensors"))
    dataset.save(random_model)
    document = json.loads((tmp_path / "model.json").read_text())
    assert document.pop("weights_sha256") == random_model.digest()
    (tmp_path / "model.json").write_text(json.dumps(document))
    assert dataset.load().digest() == random_model.digest()


def test_swapped_weights_are_noticed(tmp_path: Path, make_model: Any) -> None:
    for seed in (1, 2):
        path = tmp_path / str(seed) / "model.safetensors"
        TrainedModelDataset(filepath=str(path)).save(make_model(seed=seed))
    (tmp_path / "2" / "model.safetensors").replace(tmp_path / "1" / "model.safetensors")
    dataset = TrainedModelDataset(filepath=str(tmp_path / "1" / "model.safetensors"))
    with pytest.raises(DatasetError) as caught:
        dataset.load()
    error = cause_of(caught.value)
    assert isinstance(error, ModelFormatError)
    assert "do not belong together" in str(error)
    assert str(tmp_path / "1") in str(error)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: (folder / "model.json").write_text("{"),
        lambda folder: (folder / "model.json").write_text("{}"),
        lambda folder: (folder / "model.json").unlink(),
    ],
)
def test_a_model_with_a_broken_specification_is_refused(
    tmp_path: Path, random_model: TrainedModel, spoil: Any
) -> None:
    dataset = TrainedModelDataset(filepath=str(tmp_path / "model.safetensors"))
    dataset.save(random_model)
    spoil(tmp_path)
    with pytest.raises(DatasetError) as caught:
        dataset.load()
    assert "model.json" in str(cause_of(caught.value))


def test_a_recogniser_comes_back(tmp_path: Path, random_recogniser: Recogniser) -> None:
    dataset = RecogniserDataset(filepath=str(tmp_path / "recogniser.onnx"))
    dataset.save(random_recogniser)
    assert dataset.load().sha256 == random_recogniser.sha256
    assert (tmp_path / "recogniser.onnx").read_bytes() == random_recogniser.onnx_model


def test_a_file_that_is_no_recogniser_is_refused(tmp_path: Path) -> None:
    (tmp_path / "recogniser.onnx").write_bytes(b"no ONNX")
    with pytest.raises(DatasetError) as caught:
        RecogniserDataset(filepath=str(tmp_path / "recogniser.onnx")).load()
    assert isinstance(cause_of(caught.value), ModelFormatError)


def test_a_checkpoint_is_kept_and_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "finetuning" / "checkpoint.pt"
    store = CheckpointDataset(filepath=str(path)).load()
    assert store.load() is None
    store.save(b"epoch 1")
    store.save(b"epoch 2")
    # Another process, later.
    assert CheckpointDataset(filepath=str(path)).load().load() == b"epoch 2"
    store.clear()
    assert store.load() is None
    assert not path.exists()
    store.clear()


def test_a_node_cannot_save_a_checkpoint_dataset(tmp_path: Path) -> None:
    dataset = CheckpointDataset(filepath=str(tmp_path / "checkpoint.pt"))
    with pytest.raises(DatasetError, match="through the loaded store"):
        dataset.save(dataset.load())


def test_what_need_not_be_there_is_none_without_its_file(tmp_path: Path) -> None:
    filepath = str(tmp_path / "a.npy")
    dataset = IfThereDataset(filepath=filepath, kind="bukva.datasets.files.ArrayDataset")
    assert dataset.load() is None
    assert not dataset.exists()
    ArrayDataset(filepath=filepath).save(np.arange(3))
    np.testing.assert_array_equal(dataset.load(), np.arange(3))
    with pytest.raises(DatasetError, match="read-only"):
        dataset.save(np.arange(3))


def test_a_folder_gives_its_files_and_an_empty_one_says_what_to_set(tmp_path: Path) -> None:
    dataset = FolderDataset(filepath=str(tmp_path), setting="line.adaptation.source")
    with pytest.raises(DatasetError, match=r"--params=line\.adaptation\.source=<folder>"):
        dataset.load()
    (tmp_path / "a.txt").write_bytes(b"x")
    assert dataset.load().names() == ["a.txt"]
    assert dataset.load().read("a.txt") == b"x"
