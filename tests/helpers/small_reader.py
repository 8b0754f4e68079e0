"""Few lines on paper, and a training that learns them by heart in seconds."""

from collections.abc import Iterator

import pandas as pd
from line_corpora import draw_page

from bukva.core.arrays import UInt8Array
from bukva.core.samples import RawSample
from bukva.tasks.line.parameters import DataParameters, SynthesisParameters, SyntheticCounts
from bukva.tasks.line.training_parameters import (
    DecodingParameters,
    TrainingParameters,
    VariationParameters,
)

Samples = tuple[pd.DataFrame, UInt8Array]
"""Table and images."""

TEXTS = ("мені", "добрий день", "пане", "зірвав", "щука й рак", "жита", "полем,", "12 гривень")
DATA = DataParameters(
    synthesis=SynthesisParameters(
        charset="ukrainian", languages={"uk": 1.0}, max_length=10, words=0, empty=0, strength=0
    ),
    font_lines=SyntheticCounts(train=0, valid=0, test=0),
)
STILL = VariationParameters(
    width=(1, 1), height=(1, 1), slant=0, rotation_deg=0, elastic_px=0, thickness=0, gamma=0,
    noise=0,
)  # fmt: skip
SMALL = TrainingParameters(
    width=8, hidden=32, dropout=0, max_epochs=6, steps_per_epoch=40, batch_size=8,
    learning_rate=0.01, ema_decay=0.9, synthetic=(0, 0), variation=STILL, precision="float32",
    decoding=DecodingParameters(beam=4, weights=(0.2,), bonuses=(0.2,)),
)  # fmt: skip


def pages() -> list[bytes]:
    """Return a picture of each text, each in another font."""
    return [draw_page(text, seed) for seed, text in enumerate(TEXTS)]


def read_pages() -> Iterator[RawSample]:
    """Yield the lines as a corpus does."""
    for place, (text, page) in enumerate(zip(TEXTS, pages(), strict=True)):
        yield RawSample(f"{place}.png", page, "handwritten", group=f"hand-{place}", text=text)
