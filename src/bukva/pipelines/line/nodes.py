"""Nodes of the task `line`.

Shapes: N lines or characters, H x W pixels of a line, S x S of a character.
"""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from bukva.core.arrays import UInt8Array
from bukva.core.samples import LazyCorpora
from bukva.tasks.line.characters import Characters, collect_characters
from bukva.tasks.line.collection import collect
from bukva.tasks.line.figures import plot_made_lines
from bukva.tasks.line.parameters import DataParameters

Results = dict[str, Any]


def gather_characters(
    corpora: LazyCorpora, parameters: DataParameters
) -> tuple[pd.DataFrame, UInt8Array]:
    """Return the characters that lines are set in: see `collect_characters`."""
    characters = collect_characters(corpora, parameters)
    return characters.table, characters.images_NSS


def process(
    corpora: LazyCorpora, character_table: pd.DataFrame, character_images_NSS: UInt8Array,
    parameters: DataParameters,
) -> tuple[pd.DataFrame, UInt8Array, pd.DataFrame, Results]:  # fmt: skip
    """Return sample table, sample images, texts and report: see `collect`."""
    characters = Characters(character_table, character_images_NSS)
    return tuple(collect(corpora, characters, parameters))  # type: ignore[return-value]


def plot_lines(
    texts: pd.DataFrame, character_table: pd.DataFrame, character_images_NSS: UInt8Array,
    parameters: DataParameters,
) -> Figure:  # fmt: skip
    """Draw made lines: see `plot_made_lines`."""
    characters = Characters(character_table, character_images_NSS)
    return plot_made_lines(texts, characters, parameters)
