"""Mistakes, and what of the drawing they rest on.

Shapes: N samples, H = W = 28 pixels, h x w places of a feature map.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from bukva.data.samples import Float32Array, UInt8Array
from bukva.evaluation.figures import style
from bukva.evaluation.figures.mistakes import describe_mistakes
from bukva.evaluation.figures.tiles import require_images

_COLUMNS: Final = 3
_TILE_PX: Final = 112
_GAP_PX: Final = 8
_INK: Final = np.array(to_rgb(style.BLACK))
_HEAT: Final = np.array(to_rgb(style.VERMILLION))


def plot_explained_mistakes(
    images_NHW: UInt8Array, mistakes: pd.DataFrame, maps: Mapping[str, Float32Array]
) -> Figure:
    """Draw misread samples, each beside maps of what its answer rests on.

    A map is coloured up to its own largest value: colours say where, not how much.

    Args:
        images_NHW: uint8, ink high on zero, row by row those of `mistakes`.
        mistakes: Rows of the prediction table.
        maps: By what it is called, one map an image, of any size; below 0 nothing is coloured.

    Raises:
        TableError: If columns are missing, or images and rows differ in number.
    """
    require_images(images_NHW, mistakes)
    rows = max(1, -(-len(mistakes) // _COLUMNS))
    subtitle = f"Written → read, probability. Beside each drawing: {', '.join(maps)}."
    figure = style.new_figure(
        1.3 * _COLUMNS * (1 + len(maps)),
        1.2 + 1.9 * rows,
        "What mistakes rest on",
        subtitle,
        gap=0.08,
    )
    if mistakes.empty:
        style.write_empty(figure.add_subplot(), "nothing is misread")
        return figure
    grid = figure.subplots(rows, _COLUMNS, squeeze=False)
    for axes in grid.flat[len(mistakes) :]:
        axes.set_axis_off()
    for row, (axes, caption) in enumerate(
        zip(grid.flat, describe_mistakes(mistakes), strict=False)
    ):
        corpus = style.corpus_title(str(mistakes["corpus"].iloc[row]))
        _draw_one(axes, images_NHW[row], [values_NHW[row] for values_NHW in maps.values()])
        axes.set_title(caption, size=12, color=style.TEXT)
        axes.set_xlabel(corpus, size=8, color=style.MUTED)
    return figure


def _draw_one(axes: Axes, image_HW: UInt8Array, maps: list[Float32Array]) -> None:
    tiles = [_paint(image_HW, np.zeros((1, 1), np.float32))] + [_paint(image_HW, m) for m in maps]
    gap = np.ones((_TILE_PX, _GAP_PX, 3))
    parts = [part for tile in tiles for part in (tile, gap)][:-1]
    axes.imshow(np.concatenate(parts, axis=1))
    axes.set(xticks=[], yticks=[])
    style.hide_frame(axes)


def _paint(image_HW: UInt8Array, map_hw: Float32Array) -> Float32Array:
    """Return a tile `(_TILE_PX, _TILE_PX, 3)`: heat on paper, ink over it."""
    heat_HW1 = _enlarge(np.clip(map_hw / max(float(map_hw.max()), 1e-12), 0, None))
    ink_HW1 = _enlarge(image_HW.astype(np.float32) / 255)
    paper = 1 - 0.85 * heat_HW1 * (1 - _HEAT)
    tile: Float32Array = paper * (1 - 0.8 * ink_HW1) + 0.8 * ink_HW1 * _INK
    return tile


def _enlarge(values_hw: NDArray[np.floating]) -> Float32Array:
    """Return values of a tile's size, smoothly between those that are known: `(H, W, 1)`."""
    picture = Image.fromarray(values_hw.astype(np.float32))
    large = picture.resize((_TILE_PX, _TILE_PX), Image.Resampling.BILINEAR)
    return np.asarray(large)[..., None]
