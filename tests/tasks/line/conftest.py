"""A few lines on paper, and a small network that learnt them by heart."""

import numpy as np
import pandas as pd
import pytest
from small_reader import DATA, SMALL, Samples, read_pages

from bukva.tasks.line.characters import collect_characters
from bukva.tasks.line.collection import collect
from bukva.tasks.line.recogniser import LineRecogniser
from bukva.tasks.line.training import Source, Trained, count_texts, train
from bukva.tasks.line.training_parameters import LanguageModelParameters


@pytest.fixture(scope="session")
def source() -> Source:
    characters = collect_characters({}, DATA)
    return Source(collect({}, characters, DATA).texts, characters, DATA)


@pytest.fixture(scope="session")
def samples(source: Source) -> Samples:
    """Eight lines, each in all three splits: what is tested is what was learnt."""
    collected = collect({"testaments": read_pages}, source.characters, DATA)
    rows, images_NHW = collected.table, np.asarray(collected.images_NHW)
    parts = [rows.assign(split=split, sample_id=split + "/" + rows["sample_id"])
             for split in ("train", "valid", "test")]  # fmt: skip
    return pd.concat(parts, ignore_index=True), np.concatenate([images_NHW] * 3)


@pytest.fixture(scope="session")
def trained(samples: Samples, source: Source) -> Trained:
    model = count_texts(source.texts, DATA, LanguageModelParameters(order=4, least_count=1))
    return train(*samples, source, model, SMALL)


@pytest.fixture(scope="session")
def recogniser(trained: Trained) -> LineRecogniser:
    return trained.recogniser
