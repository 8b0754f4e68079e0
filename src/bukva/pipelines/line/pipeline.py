"""The stages of the task `line`, each a pipeline of its own."""

from kedro.pipeline import Node, Pipeline

from bukva.core.evaluation.figures.training import plot_learning_curves
from bukva.pipelines.line import adaptation_nodes, nodes
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
            Node(nodes.compare_networks,
                 [history, "predictions", *samples, *source, "params:evaluation"], "comparison",
                 name="compare_networks"),
            Node(nodes.plot_tested, tested, "lines_figure", name="plot_lines"),
        ],
        "packaging": [
            Node(nodes.assemble, [model, "results", *samples], "packaged_models", name="assemble")
        ],
        "promotion": promotion_pipeline(TASK),
    }  # fmt: skip
    return {name: Pipeline(stage, namespace=TASK.name) for name, stage in stages.items()}


def create_adaptation() -> Pipeline:
    """Return the pipeline that teaches a model lines of one's own, up to a packaged candidate.

    No part of the pipeline `line`: it starts from what that has made, or from a released model.
    """
    own = ["adaptation.own_table", "adaptation.own_images"]
    start = ["adaptation.start_model", "adaptation.start_weights"]
    known = ["adaptation.sample_table", "adaptation.sample_images"]
    made_of = ["adaptation.texts", "adaptation.character_table", "adaptation.character_images"]
    parameters, source = "params:adaptation", "adaptation.source"
    model, history = "adaptation.model", "adaptation.history"
    learnt = [parameters, "adaptation.checkpoints", "adaptation.epoch_metrics"]
    return Pipeline(
        [
            Node(adaptation_nodes.gather_own, ["adaptation.folder", parameters],
                 [*own, "adaptation.own_lines"], name="gather_own_lines"),
            Node(adaptation_nodes.to_source, [*made_of, "params:data_processing"], source,
                 name="choose_source"),
            Node(adaptation_nodes.teach, [*own, *start, *known, source, *learnt],
                 [model, history, "adaptation.weights"], name="adapt"),
            Node(plot_learning_curves, history, "adaptation.learning_curves",
                 name="plot_adaptation_curves"),
            Node(adaptation_nodes.measure,
                 [start[0], model, *own, *known, source, parameters, "params:evaluation"],
                 ["adaptation.predictions", "adaptation.results"], name="read_before_and_after"),
            Node(adaptation_nodes.assemble_adapted,
                 [model, "adaptation.results", *own, *known], "packaged_models",
                 name="assemble_adapted"),
        ],
        namespace=TASK.name,
    )  # fmt: skip
