"""Draw the images of the documentation that are made from the project itself.

    python tools/draw_docs_images.py [folder, by default docs/images]

`pipeline.png` shows the registered pipelines and what each hands to the next; `letter.png` is one
letter of the stroke alphabet, to try the service with.
"""

import json
import sys
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from PIL import Image

from bukva.pipeline_registry import register_pipelines
from bukva.tasks.glyph.strokes.writing import draw_symbol

STAGES = (
    "data_processing",
    "mnist_pretraining",
    "finetuning",
    "evaluation",
    "packaging",
    "promotion",
)
# Nodes hand these over through MLflow, not through the catalog's files.
BY_MLFLOW = {("packaging", "promotion"): ["packaged_models", "(through MLflow)"]}
CELL_WIDTH, CELL_HEIGHT = 2.2, 1.95
NODES_PER_COLUMN = 11

Graph = dict[str, dict[str, list[str]]]


def describe_pipelines() -> Graph:
    """Return the nodes of each stage, and the datasets that it hands to each later stage."""
    pipelines = register_pipelines()
    graph: Graph = {"nodes": {}, "datasets": {}}
    for place, giver in enumerate(STAGES):
        # A template may stand twice in a stage, under two namespaces.
        names = [node.name.rsplit(".", 1)[-1] for node in pipelines[giver].nodes]
        graph["nodes"][giver] = list(dict.fromkeys(names))
        made = pipelines[giver].all_outputs()
        for taker in STAGES[place + 1 :]:
            through_mlflow = BY_MLFLOW.get((giver, taker), [])
            handed = sorted((made & pipelines[taker].inputs()) - set(through_mlflow))
            handed += through_mlflow
            if handed:
                graph["datasets"][f"{giver} -> {taker}"] = handed
    return graph


def draw_pipelines(graph: Graph) -> Figure:
    """Draw stages on the diagonal, and above it what the stage of a row hands to that of a column.

    The form is an N2 chart (Lano, 1977).
    """
    size = (CELL_WIDTH * len(STAGES), CELL_HEIGHT * len(STAGES))
    figure = Figure(figsize=size)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, size[0]), ylim=(size[1], 0))
    axes.axis("off")
    for place, stage in enumerate(STAGES):
        _draw_stage(axes, place, stage, graph["nodes"][stage])
    for key, datasets in graph["datasets"].items():
        giver, taker = key.split(" -> ")
        _draw_handover(axes, STAGES.index(giver), STAGES.index(taker), datasets)
    return figure


def _centre(column: int, row: int) -> tuple[float, float]:
    return (column + 0.5) * CELL_WIDTH, (row + 0.5) * CELL_HEIGHT


def _draw_stage(axes: Axes, place: int, stage: str, nodes: list[str]) -> None:
    x, y = _centre(place, place)
    corner = (x - 0.46 * CELL_WIDTH, y - 0.43 * CELL_HEIGHT)
    box = FancyBboxPatch(
        corner, 0.92 * CELL_WIDTH, 0.86 * CELL_HEIGHT, boxstyle="round,pad=0,rounding_size=0.08",
        facecolor="#e8eef7", edgecolor="#34568b", zorder=3,
    )  # fmt: skip
    axes.add_patch(box)
    top = y - 0.33 * CELL_HEIGHT
    axes.text(x, top, stage, ha="center", va="center", weight="bold", fontsize=10, zorder=4)
    columns = [nodes[i : i + NODES_PER_COLUMN] for i in range(0, len(nodes), NODES_PER_COLUMN)]
    for column, names in enumerate(columns):
        middle = x + (column - (len(columns) - 1) / 2) * 0.45 * CELL_WIDTH
        text = "\n".join(names)
        axes.text(middle, top + 0.14, text, ha="center", va="top", fontsize=7, zorder=4)


def _draw_handover(axes: Axes, giver: int, taker: int, datasets: list[str]) -> None:
    """Draw an arrow from the giver to the right, then down to the taker, over the names."""
    x, y = _centre(taker, giver)
    start, end = _centre(giver, giver)[0], _centre(taker, taker)[1] - 0.43 * CELL_HEIGHT
    axes.plot([start, x], [y, y], color="#b0bccf", linewidth=1, zorder=1)
    axes.annotate(
        "", (x, end), (x, y), arrowprops={"arrowstyle": "->", "color": "#b0bccf"}, zorder=1
    )
    background = {"facecolor": "white", "edgecolor": "none", "pad": 2}
    names = "\n".join(datasets)
    axes.text(x, y, names, ha="center", va="center", fontsize=7.5, bbox=background, zorder=2)


def main() -> None:
    """Write the images; the picture of the pipelines carries the graph that it shows."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images")
    graph = describe_pipelines()
    description = {"Description": json.dumps(graph), "Software": None}
    draw_pipelines(graph).savefig(folder / "pipeline.png", dpi=100, metadata=description)
    letter_HW = draw_symbol("Ґ", np.random.default_rng(7))
    Image.fromarray(letter_HW).save(folder / "letter.png")


if __name__ == "__main__":
    main()
