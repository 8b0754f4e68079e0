"""A small network that was trained on drawn lines."""

import numpy as np
import pandas as pd
import pytest

from bukva.tasks.document.collection import collect
from bukva.tasks.document.parameters import DataParameters, TrainingParameters
from bukva.tasks.document.recogniser import DocumentRecogniser
from bukva.tasks.document.training import Trained, train

SMALL = TrainingParameters(
    width=6, max_epochs=3, steps_per_epoch=20, batch_size=32, device="cpu", ema_decay=0.8,
    learning_rate=0.01,
)  # fmt: skip
DATA = DataParameters(drawn_lines=500)


@pytest.fixture(scope="session")
def lines() -> tuple[pd.DataFrame, np.ndarray]:
    return collect({}, DATA)


@pytest.fixture(scope="session")
def trained(lines: tuple[pd.DataFrame, np.ndarray]) -> Trained:
    return train(*lines, SMALL)


@pytest.fixture(scope="session")
def recogniser(trained: Trained) -> DocumentRecogniser:
    return trained.recogniser
