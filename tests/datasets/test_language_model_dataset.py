"""The language model of lines as a dataset of one file."""

from pathlib import Path

import pytest
from kedro.io import DatasetError

from bukva.datasets.models import LanguageModelDataset
from bukva.tasks.line.charset import UKRAINIAN
from bukva.tasks.line.language_model import LanguageModel


def test_a_language_model_comes_back_as_it_was(tmp_path: Path) -> None:
    model = LanguageModel.count(
        ["мама мила раму"], UKRAINIAN, order=3, least_count=1, corpora=["own"]
    )
    dataset = LanguageModelDataset(filepath=str(tmp_path / "models" / "language_model.npz"))
    dataset.save(model)
    assert dataset.load().to_bytes() == model.to_bytes()


def test_another_file_is_named_as_such(tmp_path: Path) -> None:
    path = tmp_path / "language_model.npz"
    path.write_bytes(b"not an archive")
    with pytest.raises(DatasetError, match="language model of bukva"):
        LanguageModelDataset(filepath=str(path)).load()
