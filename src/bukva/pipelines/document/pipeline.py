"""The stages of the task `document`, each a pipeline of its own."""

from kedro.pipeline import Node, Pipeline

from bukva.core.evaluation.figures.training import plot_learning_curves
from bukva.pipelines.document import nodes
from bukva.pipelines.templates.promotion import promotion_pipeline
from bukva.tasks.document.collection import collect
from bukva.tasks.document.figures import plot_scores
from bukva.tasks.document.task import TASK
from bukva.tasks.document.training import train


def create_pipelines() -> dict[str, Pipeline]:
    """Return the stages by name: `data_processing`, `training` and so on."""
    samples = ["sample_table", "sample_images"]
    model, history = "training.model", "training.history"
    settings = ["params:data_processing", "params:training", "params:evaluation"]
    learnt = [*samples, "params:training", "training.checkpoints", "training.epoch_metrics"]
    stages: dict[str, Pipeline | list[Node]] = {
        "data_processing": [
            Node(collect, ["corpora", "params:data_processing"], samples, name="collect")
        ],
        "training": [
            Node(train, learnt, [model, history, "training.weights"], name="train"),
            Node(plot_learning_curves, history, "training.learning_curves", name="plot_curves"),
        ],
        "evaluation": [
            Node(nodes.test, [model, *samples, "params:evaluation"], ["predictions", "results"],
                 name="test"),
            Node(nodes.measure_confound, [model, "corpora", *samples, *settings], "confound",
                 name="measure_confound"),
            Node(nodes.compare_networks, [model, history, *samples, "pretrained", *settings[1:]],
                 "comparison", name="compare_networks"),
            Node(plot_scores, "predictions", "scores_figure", name="plot_scores"),
            Node(nodes.plot_tested, [model, "predictions", *samples], "lines_figure",
                 name="plot_lines"),
        ],
        "packaging": [
            Node(nodes.assemble, [model, "results", *samples], "packaged_models", name="assemble")
        ],
        "promotion": promotion_pipeline(TASK),
    }  # fmt: skip
    return {name: Pipeline(stage, namespace=TASK.name) for name, stage in stages.items()}
