"""Lines to look at.

Shapes: H x W pixels.
"""

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bukva.core.arrays import UInt8Array
from bukva.core.evaluation.figures import style
from bukva.core.samples import Split
from bukva.tasks.line.characters import Characters
from bukva.tasks.line.framing import HEIGHT
from bukva.tasks.line.line_maker import LineMaker
from bukva.tasks.line.parameters import DataParameters

_ROW_IN: Final = 0.62
_MOST_PX: Final = 1000
_SHOWN: Final[dict[Split, int]] = {"test": 10, "train": 6}
_CHARACTERS: Final = 6
_EMPTY: Final = 3


def plot_made_lines(
    texts: pd.DataFrame, characters: Characters, parameters: DataParameters
) -> Figure:
    """Draw made lines, each with what it says: of the tests, of the training, and empty ones."""
    synthesis = parameters.synthesis
    rng = np.random.default_rng(parameters.seed)
    fonts = synthesis.model_copy(update={"characters": 0.0, "empty": 0.0})
    groups = [
        (f"{split}, fonts", LineMaker(fonts, texts, None, split), count)
        for split, count in _SHOWN.items()
    ]
    if characters.of_split("test"):
        set_in_all = fonts.model_copy(update={"characters": 1.0})
        maker = LineMaker(set_in_all, texts, characters, "test")
        groups.append(("test, characters", maker, _CHARACTERS))
    nothing = synthesis.model_copy(update={"empty": 1.0})
    groups.append(("says nothing", LineMaker(nothing, texts), _EMPTY))
    drawn = [
        (f"{title}\n{name}", ink_HW, text)
        for title, maker, count in groups
        for ink_HW, text, name in zip(*maker.draw_named(count, rng), strict=True)
    ]
    height_in = 1 + _ROW_IN * len(drawn)
    subtitle = "Made by a program; what each says stands below it. Ink, as the network sees it."
    figure = style.new_figure(12, height_in, "Made lines", subtitle)
    rows = np.atleast_1d(figure.subplots(len(drawn), 1))
    for axes, (title, ink_HW, text) in zip(rows, drawn, strict=True):
        draw_line(axes, ink_HW, text, title)
    return figure


def draw_line(axes: Axes, ink_HW: UInt8Array, text: str, title: str) -> None:
    """Draw a line, dark on light, with a text below it and a title at its left."""
    page_HW = np.full((HEIGHT, _MOST_PX), 255, dtype=np.uint8)
    width = min(_MOST_PX, ink_HW.shape[1])
    page_HW[:, :width] = 255 - ink_HW[:, :width]
    axes.imshow(page_HW, cmap="gray", vmin=0, vmax=255, interpolation="bilinear")
    axes.set_axis_off()
    axes.text(0, HEIGHT + 4, text or "(nothing)", size=8, color=style.BLUE, va="top")
    axes.text(-8, HEIGHT / 2, title, size=8, color=style.MUTED, ha="right", va="center")
