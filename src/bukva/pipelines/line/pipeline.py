"""The stages of the task `line`, each a pipeline of its own."""

from kedro.pipeline import Node, Pipeline

from bukva.core.evaluation.figures.training import plot_learning_curves
from bukva.pipelines.line import nodes
from bukva.pipelines.templates.promotion import promotion_pipeline
from bukva.tasks.line.evaluation.figures import plot_scores
from bukva.tasks.line.evaluation.tables import list_strata
from bukva.tasks.line.task import TASK
from bukva.tasks.line.training import count_texts


def create_pipelines() -> dict[str, Pipeline]:
    """Return the stages by name: `data_processing`, `training` and so on."""
    samples = ["sample_table", "sample_images"]
    characters = ["character_table", "character_images"]
    parameters = "params:data_processing"
    model, history = "training.model", "training.history"
    source = ["texts", *characters, parameters]
    learnt = ["params:training", "training.checkpoints", "training.epoch_metrics"]
    tested = ["predictions", *samples, "params:evaluation"]
    stages: dict[str, Pipeline | list[Node]] = {
        "data_processing": [
            Node(nodes.gather_characters, ["corpora", parameters], characters,
                 name="gather_characters"),
            Node(nodes.process, ["corpora", *characters, parameters],
                 [*samples, "texts", "data_report"], name="process"),
            Node(nodes.plot_made, source, "made_lines", name="plot_made_lines"),
        ],
        "training": [
            Node(count_texts, ["texts", parameters, "params:language_model"], "language_model",
                 name="count_texts"),
            Node(nodes.train_reader, [*samples, *source, "language_model", *learnt],
                 [model, history, "training.weights"], name="train"),
            Node(plot_learning_curves, history, "training.learning_curves", name="plot_curves"),
        ],
        "evaluation": [
            Node(nodes.test, [model, *samples, "params:evaluation"], ["predictions", "results"],
                 name="test"),
            Node(nodes.count_confusions, ["predictions", "params:evaluation"], "confusions",
                 name="list_confusions"),
            Node(list_strata, "predictions", "strata", name="list_strata"),
            Node(plot_scores, ["predictions", "strata", "confusions"], "scores_figure",
                 name="plot_scores"),
            Node(nodes.plot_tested, tested, "lines_figure", name="plot_lines"),
        ],
        "packaging": [
            Node(nodes.assemble, [model, "results", *samples], "packaged_models", name="assemble")
        ],
        "promotion": promotion_pipeline(TASK),
    }  # fmt: skip
    return {name: Pipeline(stage, namespace=TASK.name) for name, stage in stages.items()}
