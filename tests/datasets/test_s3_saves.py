"""On S3 an object is the former one or the new one, whatever becomes of the save."""

import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from kedro.io import DatasetError
from matplotlib.figure import Figure
from s3_saver import PART_BYTES

from bukva.datasets import s3 as s3_module
from bukva.datasets.feedback import DecisionsDataset, KnownSamplesDataset
from bukva.datasets.files import (
    ArrayDataset,
    CSVDataset,
    JSONDataset,
    ParquetDataset,
    TextDataset,
    YAMLDataset,
)
from bukva.datasets.models import CheckpointDataset, TrainedModelDataset
from bukva.datasets.storage import Files
from bukva.datasets.tracked import TrackedFigureDataset, TrackedTableDataset
from bukva.errors import BucketMissingError
from bukva.tasks.glyph.feedback.decisions import Decision
from bukva.tasks.glyph.trained import TrainedModel
from targets.kept import KeptTablesDataset
from targets.measurements import MeasurementsDataset

DECISIONS = {"a" * 32: Decision(symbol="ґ", reviewer="r", decided=datetime(2026, 1, 1, tzinfo=UTC))}
TABLE = pd.DataFrame({"label": ["а", "ґ"], "count": [1, 2]})


@pytest.fixture
def place(request: pytest.FixtureRequest, s3: Any) -> str:
    """A prefix of the test's own."""
    return f"s3://bukva/{zlib.crc32(request.node.name.encode()):x}"


def uploads(s3: Any, place: str) -> list[Any]:
    """Parts that were left below a prefix, without object."""
    prefix = place.removeprefix("s3://bukva/")
    try:
        left = list(s3.list_multipart_uploads("bukva"))
    except FileNotFoundError:
        return []  # as rclone says that there are none
    return [upload for upload in left if upload["Key"].startswith(prefix)]


class Unserialisable:
    """What neither JSON nor CSV can hold."""

    def __str__(self) -> str:
        raise ValueError("no text")


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is longer than 10 MB is sent in parts."""
    monkeypatch.setattr(s3_module, "PART_BYTES", PART_BYTES)


@pytest.mark.parametrize("size", [10, 2 * PART_BYTES + 1], ids=["small", "in parts"])
def test_a_block_that_fails_leaves_the_former_object(
    small_parts: None, s3: Any, place: str, size: int
) -> None:
    s3.pipe_file(f"{place}/a", b"former")

    def save() -> None:
        with Files(place).saving("a") as path:
            path.write_bytes(b"x" * size)
            raise ValueError("the node failed")

    with pytest.raises(ValueError, match="the node failed"):
        save()
    assert s3.cat_file(f"{place}/a") == b"former"
    assert s3.find(place) == [f"{place}/a".removeprefix("s3://")]
    assert uploads(s3, place) == []


@pytest.mark.parametrize("size", [0, 1, PART_BYTES, 3 * PART_BYTES + 7])
def test_what_is_saved_is_whole(small_parts: None, s3: Any, place: str, size: int) -> None:
    content = np.random.default_rng(size).integers(0, 256, size, dtype=np.uint8).tobytes()
    Files(place).write(content, "a")
    assert s3.cat_file(f"{place}/a") == content
    assert Files(place).read("a") == content
    with Files(f"{place}/a").fetched() as path:
        assert path.read_bytes() == content
    assert uploads(s3, place) == []


@pytest.mark.parametrize("slashes", ["{0}/", "{0}//a/", "{0}//a//b"])
def test_slashes_too_many_lead_to_no_other_place(s3: Any, place: str, slashes: str) -> None:
    address = slashes.format(place)
    JSONDataset(filepath=f"{address}/c.json").save({"a": 1})
    plain = address.removeprefix("s3://").replace("//", "/").rstrip("/")
    assert s3.find(place) == [f"{plain}/c.json"]
    assert Files(address).names() == ["c.json"]


@pytest.mark.parametrize("kind", [JSONDataset, ParquetDataset, CSVDataset])
def test_a_dataset_that_fails_in_mid_save_leaves_the_former_one(
    kind: Any, s3: Any, place: str
) -> None:
    dataset = kind(filepath=f"{place}/a")
    former: Any = {"a": 1} if kind is JSONDataset else TABLE
    broken: Any = {"a": 1, "then": Unserialisable()}
    dataset.save(former)
    with pytest.raises(DatasetError):
        dataset.save(broken if kind is JSONDataset else pd.DataFrame([broken], dtype=object))
    assert str(dataset.load()) == str(former)


def test_nothing_is_made_of_a_bucket_whose_name_is_mistyped(s3: Any) -> None:
    for dataset in (
        ArrayDataset(filepath="s3://bukwa/a.npy"),
        JSONDataset(filepath="s3://bukwa/a.json"),
    ):
        with pytest.raises(DatasetError, match="bukwa") as caught:
            dataset.save(np.arange(3) if isinstance(dataset, ArrayDataset) else {})
        assert isinstance(caught.value.__cause__, BucketMissingError)
    assert "bukwa" not in s3.ls("")


def figure() -> Figure:
    drawn = Figure()
    drawn.subplots().plot([1, 2])
    return drawn


def is_same_array(found: Any, saved: Any) -> bool:
    return bool(np.array_equal(found, saved))


def is_same_table(found: Any, saved: Any) -> bool:
    return bool(found.astype(saved.dtypes).equals(saved))


DATASETS: list[tuple[type, str, Any, Callable[[Any, Any], bool]]] = [
    (ArrayDataset, "a.npy", np.arange(6).reshape(2, 3), is_same_array),
    (ParquetDataset, "a.parquet", TABLE, is_same_table),
    (CSVDataset, "a.csv", TABLE, is_same_table),
    (TrackedTableDataset, "a.csv", TABLE, is_same_table),
    (JSONDataset, "a.json", {"ґ": 1}, dict.__eq__),
    (YAMLDataset, "a.yml", {"ґ": 1}, dict.__eq__),
    (TextDataset, "a.md", "ґ", str.__eq__),
    (DecisionsDataset, "a.json", DECISIONS, dict.__eq__),
    (TrackedFigureDataset, "a.png", figure(), lambda found, _: found.startswith(b"\x89PNG")),
]


@pytest.mark.parametrize(("kind", "name", "value", "is_same"), DATASETS)
def test_what_is_saved_to_a_bucket_is_loaded_from_it(
    kind: Any, name: str, value: Any, is_same: Any, s3: Any, place: str
) -> None:
    dataset = kind(filepath=f"{place}/deep/{name}")
    assert not dataset.exists()
    dataset.save(value)
    # Another process, later.
    again = kind(filepath=f"{place}/deep/{name}")
    assert again.exists()
    assert is_same(again.load(), value)


def test_a_model_of_two_objects_comes_back(s3: Any, place: str, random_model: TrainedModel) -> None:
    dataset = TrainedModelDataset(filepath=f"{place}/model.safetensors")
    dataset.save(random_model)
    assert dataset.load().digest() == random_model.digest()


def test_a_checkpoint_is_kept_and_forgotten(s3: Any, place: str) -> None:
    store = CheckpointDataset(filepath=f"{place}/checkpoint.pt").load()
    assert store.load() is None
    store.save(b"epoch 1")
    store.save(b"epoch 2")
    assert CheckpointDataset(filepath=f"{place}/checkpoint.pt").load().load() == b"epoch 2"
    store.clear()
    assert store.load() is None
    store.clear()


def test_tables_that_are_kept_are_computed_once(s3: Any, place: str) -> None:
    tables = iter([TABLE])
    for _ in range(2):
        kept = KeptTablesDataset(folder=f"{place}/kept").load()
        assert is_same_table(kept.recall("seed_1", lambda _: next(tables)), TABLE)


def test_measurements_are_found_by_their_patterns(s3: Any, place: str) -> None:
    JSONDataset(filepath=f"{place}/results.json").save({"a": 1})
    JSONDataset(filepath=f"{place}/benchmark/size.json").save({"b": 2})
    patterns = ["results.json", "benchmark/*.json", "none/*.json"]
    assert MeasurementsDataset(folder=place, files=patterns).load() == {"a": 1, "b": 2}


def test_known_samples_are_there_when_both_are(s3: Any, place: str) -> None:
    names = {"filepath": f"{place}/table.parquet", "images": f"{place}/images.npy"}
    ParquetDataset(filepath=names["filepath"]).save(TABLE)
    assert KnownSamplesDataset(**names).load() is None
    ArrayDataset(filepath=names["images"]).save(np.zeros((2, 28, 28), np.uint8))
    assert KnownSamplesDataset(**names).load() is not None
