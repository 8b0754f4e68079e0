"""How training went."""

from typing import Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bukva.core.evaluation.figures import style
from bukva.core.tables import require_columns

COLUMNS: Final = (
    "epoch",
    "phase",
    "learning_rate",
    "train_loss",
    "valid_loss",
    "seconds",
)

_LOSSES: Final = {
    "train_loss": ("train", style.MUTED),
    "valid_loss": ("validation", style.BLUE),
}
_COLOURS: Final = (style.BLUE, style.VERMILLION, style.GREEN)


def plot_learning_curves(history: pd.DataFrame) -> Figure:
    """Draw losses, validation accuracies and the learning rate, epoch by epoch.

    Args:
        history: One row an epoch, in order, with `epoch`, `phase`, `learning_rate`,
            `train_loss`, `valid_loss`, `seconds`, and any accuracies, such as
            `valid_label_accuracy` (missing where there is none).

    Raises:
        TableError: If columns are missing.
    """
    require_columns(history, COLUMNS)
    history = history.reset_index(drop=True)
    figure = style.new_figure(10, 7.5, "Learning curves", _summary(history))
    if history.empty:
        style.write_empty(figure.add_subplot(), "no epoch was trained")
        return figure
    panels = figure.subplots(3, 1, sharex=True, height_ratios=(3, 3, 1.3))
    loss, accuracy, rate = panels
    _draw_lines(loss, history, _LOSSES, "Loss")
    _draw_lines(accuracy, history, _accuracies(history), "Accuracy on the validation split")
    style.percent_axis(accuracy)
    _draw_lines(rate, history, {"learning_rate": ("", style.TEXT)}, "Learning rate")
    rate.set_xlabel("epoch")
    rate.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    for axes in panels:
        _shade_phases(axes, history["phase"], with_names=axes is rate)
        _mark_best(axes, history["valid_loss"])
    return figure


def _accuracies(history: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """Return name and colour of each accuracy, by its column."""
    columns = [str(name) for name in history if str(name).endswith("accuracy")]
    names = [name.removeprefix("valid_").removesuffix("accuracy").strip("_") for name in columns]
    return dict(zip(columns, zip(names, _COLOURS, strict=False), strict=False))


def _summary(history: pd.DataFrame) -> str:
    if history["valid_loss"].notna().sum() == 0:
        return f"{len(history)} epochs"
    best = int(history["valid_loss"].argmin()) + 1
    seconds = float(history["seconds"].sum())
    return f"{len(history)} epochs in {seconds:.0f} s, lowest validation loss after epoch {best}"


def _draw_lines(
    axes: Axes, history: pd.DataFrame, lines: dict[str, tuple[str, str]], title: str
) -> None:
    epoch_E = np.arange(1, len(history) + 1)
    for column, (name, colour) in lines.items():
        values = history[column].astype(float)
        if values.notna().any():
            marker = "o" if len(history) < 40 else ""
            axes.plot(
                epoch_E,
                values,
                color=colour,
                marker=marker,
                markersize=3.5,
                linewidth=1.8,
                label=name,
            )
    style.style_axes(axes, title, grid="y")
    if len(lines) > 1:
        axes.legend(
            frameon=False, ncols=2, loc="lower right", bbox_to_anchor=(1, 1), labelcolor=style.TEXT
        )


def _shade_phases(axes: Axes, phase: pd.Series, *, with_names: bool) -> None:
    """Give every other phase a ground, and each its name where a schedule leaves room."""
    runs = phase.ne(phase.shift()).cumsum()
    for place, (_, run) in enumerate(phase.groupby(runs)):
        left, right = int(run.index[0]) + 0.5, int(run.index[-1]) + 1.5
        if place % 2:
            axes.axvspan(left, right, color=style.GROUND, zorder=0)
        if with_names:
            axes.annotate(
                str(run.iloc[0]), ((left + right) / 2, 0.45), xycoords=axes.get_xaxis_transform(),
                ha="center", va="center", size=9, color=style.MUTED,
            )  # fmt: skip
    axes.set_xlim(0.5, len(phase) + 0.5)


def _mark_best(axes: Axes, valid_loss: pd.Series) -> None:
    if valid_loss.notna().any():
        best = int(valid_loss.argmin()) + 1
        axes.axvline(best, color=style.GREEN, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
