"""What the preprocessing does: samples as they were found, above what the network sees of them.

Shapes: N samples, H = W = 28 pixels.
"""

import io
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from bukva.data.samples import UInt8Array
from bukva.evaluation.figures import style
from bukva.evaluation.figures.tiles import symbols_as_written

_TILES: Final = 14
_TILE_PX: Final = 96
_GAP_PX: Final = 6
_GROUND: Final = 232  # a white page has to show its edges


def plot_raw_samples(raw: pd.DataFrame, table: pd.DataFrame, images_NHW: UInt8Array) -> Figure:
    """Draw, for each corpus, some samples as they were found and the same ones preprocessed.

    Args:
        raw: `sample_id` and `image`, the bytes of a PNG file.
        table: The sample table; holds all of those.
        images_NHW: uint8, ink high on zero, row by row those of `table`.
    """
    rows = pd.Index(table["sample_id"]).get_indexer(raw["sample_id"])
    found = table.iloc[rows].assign(image=raw["image"].to_numpy(), row=rows)
    corpora = sorted(found["corpus"].unique())
    subtitle = "Above: as the corpus holds it. Below: cut out, centred and scaled to 28 x 28 px."
    height_in = 1.2 + 2.2 * max(1, len(corpora))
    figure = style.new_figure(14, height_in, "From a raw image to a sample", subtitle, gap=0.06)
    if not corpora:
        style.write_empty(figure.add_subplot(), "no samples")
        return figure
    for axes, corpus in zip(
        figure.subplots(len(corpora), 1, squeeze=False).flat, corpora, strict=True
    ):
        _draw_corpus(axes, str(corpus), found[found["corpus"].eq(corpus)], images_NHW)
    return figure


def _draw_corpus(axes: Axes, corpus: str, samples: pd.DataFrame, images_NHW: UInt8Array) -> None:
    places = np.unique(np.linspace(0, len(samples) - 1, _TILES).astype(int))
    chosen = samples.iloc[places]
    step = _TILE_PX + _GAP_PX
    canvas = np.full((2 * step - _GAP_PX, _TILES * step - _GAP_PX), _GROUND, dtype=np.uint8)
    for column, (image, row) in enumerate(zip(chosen["image"], chosen["row"], strict=True)):
        frame = Image.fromarray(255 - images_NHW[row])
        for line, picture in enumerate((Image.open(io.BytesIO(image)), frame)):
            _paste(canvas[line * step :, column * step :], picture)
    axes.imshow(canvas, cmap="gray", vmin=0, vmax=255)
    middles = step * np.arange(len(chosen)) + _TILE_PX / 2
    axes.set_xticks(middles, symbols_as_written(chosen), size=11)
    axes.set_yticks([])
    axes.set_title(style.corpus_title(corpus), size=11, weight="bold", color=style.TEXT, loc="left")
    style.hide_frame(axes)


def _paste(canvas: UInt8Array, picture: Image.Image) -> None:
    """Put a picture into the upper left of a canvas: as large as a tile lets it, in the middle."""
    scale = _TILE_PX / max(picture.size)
    width, height = (max(1, round(side * scale)) for side in picture.size)
    tile = np.asarray(picture.convert("L").resize((width, height), Image.Resampling.BOX))
    top, left = (_TILE_PX - height) // 2, (_TILE_PX - width) // 2
    canvas[top : top + height, left : left + width] = tile
