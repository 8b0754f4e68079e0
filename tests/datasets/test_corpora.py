import gzip
import hashlib
import pickle
import struct
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from kedro.io import DataCatalog, DatasetError

from bukva.datasets.corpora import CorporaDataset, PublishedSplitDataset
from bukva.errors import ChecksumError, CorpusMissingError

PROJECT = Path(__file__).parents[2]
PROJECT_MANIFEST = str(PROJECT / "conf" / "base" / "corpora.yml")


def idx(dimensions: tuple[int, ...], values: bytes) -> bytes:
    header = struct.pack(f">BBBB{len(dimensions)}I", 0, 0, 8, len(dimensions), *dimensions)
    return gzip.compress(header + values)


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, Any]:
    """A small MNIST of one training and one test image under a raw folder, with its manifest."""
    files = {}
    for prefix, label in (("train", 5), ("t10k", 7)):
        files[f"{prefix}-images-idx3-ubyte.gz"] = idx((1, 2, 2), bytes((0, 1, 2, label)))
        files[f"{prefix}-labels-idx1-ubyte.gz"] = idx((1,), bytes((label,)))
    (tmp_path / "raw" / "mnist").mkdir(parents=True)
    entry = yaml.safe_load(Path(PROJECT_MANIFEST).read_text(encoding="utf-8"))["mnist"]
    for file in entry["files"]:
        content = files[Path(file["path"]).name]
        (tmp_path / "raw" / file["path"]).write_bytes(content)
        file["sha256"] = hashlib.sha256(content).hexdigest()
        file["size_bytes"] = len(content)
    manifest = tmp_path / "corpora.yml"
    manifest.write_text(yaml.safe_dump({"mnist": entry}), encoding="utf-8")
    return {"folder": str(tmp_path / "raw"), "names": ["mnist"], "manifest": str(manifest)}


def test_samples_are_read_only_when_asked_for(settings: dict[str, Any]) -> None:
    corpora = CorporaDataset(**settings).load()
    assert list(corpora) == ["mnist"]
    for _ in range(2):  # a corpus can be read again
        assert [sample.label for sample in corpora["mnist"]()] == ["5", "7"]
    assert len(list(pickle.loads(pickle.dumps(corpora["mnist"]))())) == 2  # for parallel runners


def test_a_catalog_makes_the_dataset(settings: dict[str, Any]) -> None:
    kind = "bukva.datasets.corpora.CorporaDataset"
    config = {"corpora": {"type": kind, "metadata": {"kedro-viz": {"layer": "raw"}}, **settings}}
    catalog = DataCatalog.from_config(config)
    assert catalog.exists("corpora")
    assert len(list(catalog.load("corpora")["mnist"]())) == 2
    assert "mnist" in str(catalog["corpora"])


def test_a_file_that_was_changed_is_refused_with_both_sums(settings: dict[str, Any]) -> None:
    corpora = CorporaDataset(**settings).load()
    changed = Path(settings["folder"], "mnist", "t10k-labels-idx1-ubyte.gz")
    expected = hashlib.sha256(changed.read_bytes()).hexdigest()
    changed.write_bytes(b"changed")
    with pytest.raises(ChecksumError) as caught:
        next(corpora["mnist"]())
    for part in (expected, hashlib.sha256(b"changed").hexdigest(), "t10k-labels", "make corpora"):
        assert part in str(caught.value)


def test_all_missing_files_of_all_corpora_are_named(tmp_path: Path) -> None:
    dataset = CorporaDataset(
        folder=str(tmp_path), names=["comnist", "rukopys"], manifest=PROJECT_MANIFEST
    )
    with pytest.raises(DatasetError) as caught:
        dataset.load()
    assert isinstance(caught.value.__cause__, CorpusMissingError)
    for part in ("comnist/Cyrillic.zip", "rukopys/dev.zip", "rukopys/master.zip", "make corpora"):
        assert part in str(caught.value)
    assert str(tmp_path) in str(caught.value)
    assert not dataset.exists()


@pytest.mark.parametrize("kind", [CorporaDataset, PublishedSplitDataset])
def test_without_names_nothing_is_needed(kind: type[CorporaDataset], tmp_path: Path) -> None:
    nowhere = str(tmp_path / "nowhere")
    loaded = kind(folder=nowhere, names=[], manifest=nowhere).load()
    assert loaded == ({} if kind is CorporaDataset else None)


def test_the_published_split_needs_both_corpora(settings: dict[str, Any]) -> None:
    assert PublishedSplitDataset(**settings).load() is None


def test_an_unknown_corpus_is_named(settings: dict[str, Any]) -> None:
    with pytest.raises(DatasetError, match="mnits"):
        CorporaDataset(**{**settings, "names": ["mnits"]}).load()


def test_saving_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(DatasetError, match="read-only"):
        CorporaDataset(**settings).save({})


def test_a_bucket_is_read_as_a_folder_is(settings: dict[str, Any], s3: Any) -> None:
    s3.put(settings["folder"] + "/mnist", "bukva/raw/mnist", recursive=True)
    corpora = CorporaDataset(**{**settings, "folder": "s3://bukva/raw"}).load()
    assert [sample.label for sample in corpora["mnist"]()] == ["5", "7"]


def test_arguments_reach_the_file_system(
    settings: dict[str, Any], s3_server: dict[str, str]
) -> None:
    client = {"endpoint_url": s3_server["AWS_ENDPOINT_URL"], "region_name": "us-east-1"}
    wrong = {"key": "key", "secret": "wrong", "client_kwargs": client}
    dataset = CorporaDataset(**{**settings, "folder": "s3://bukva/raw"}, fs_args=wrong)
    with pytest.raises(DatasetError, match=r"(?i)forbidden|signature|denied"):
        dataset.load()


@pytest.mark.corpora
def test_the_published_split_is_read_from_the_real_corpora() -> None:
    folder = PROJECT / "data" / "01_raw"
    dataset = PublishedSplitDataset(
        folder=str(folder), names=["rukopys", "mnist"], manifest=PROJECT_MANIFEST
    )
    if not dataset.exists():
        pytest.skip(f"rukopys or mnist is not in {folder}: make corpora FROM=<mirror>")
    table = dataset.load()
    assert table["split"].value_counts().to_dict() == {"train": 1281, "test": 300}


def test_feedback_that_is_named_but_absent_says_what_makes_it(settings: dict[str, Any]) -> None:
    settings["names"].append("feedback")
    dataset = CorporaDataset(**settings, feedback=settings["folder"] + "/feedback.parquet")
    assert not dataset.exists()
    with pytest.raises(DatasetError, match="kedro run --pipeline=feedback_ingestion") as caught:
        dataset.load()
    assert isinstance(caught.value.__cause__, CorpusMissingError)


def test_feedback_is_read_beside_the_published_corpora(settings: dict[str, Any]) -> None:
    path = settings["folder"] + "/feedback.parquet"
    row = {"name": "a" * 32, "label": "ґ", "is_uppercase": True, "image": b"png"}
    pd.DataFrame([row]).to_parquet(path)
    settings["names"].append("feedback")
    corpora = CorporaDataset(**settings, feedback=path).load()
    assert list(corpora) == ["mnist", "feedback"]
    [sample] = corpora["feedback"]()
    assert (sample.name, sample.image, sample.split) == ("a" * 32, b"png", "train")
    assert PublishedSplitDataset(**settings).load() is None
