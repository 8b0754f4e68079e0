"""A small network that was trained on drawn lines."""

import numpy as np
import pandas as pd
import pytest
from drawn_documents import DATA, SMALL

from bukva.tasks.document.collection import collect
from bukva.tasks.document.recogniser import DocumentRecogniser
from bukva.tasks.document.training import Trained, train


@pytest.fixture(scope="session")
def lines() -> tuple[pd.DataFrame, np.ndarray]:
    return collect({}, DATA)


@pytest.fixture(scope="session")
def trained(lines: tuple[pd.DataFrame, np.ndarray]) -> Trained:
    return train(*lines, SMALL)


@pytest.fixture(scope="session")
def recogniser(trained: Trained) -> DocumentRecogniser:
    return trained.recogniser
