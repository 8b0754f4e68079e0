"""The stages of the task `character`, each a pipeline of its own."""

from kedro.pipeline import Node, Pipeline

from bukva.pipelines.character import nodes
from bukva.pipelines.templates.promotion import promotion_pipeline
from bukva.pipelines.templates.training import training_pipeline
from bukva.tasks.character.evaluation import per_class_report
from bukva.tasks.character.task import TASK
from bukva.tasks.character.training import train


def create_pipelines() -> dict[str, Pipeline]:
    """Return the stages by name: `data_processing`, `training` and so on."""
    samples = ["sample_table", "sample_images"]
    model, history = "training.model", "training.history"
    compared = [model, history, *samples, "params:training", "params:evaluation"]
    stages: dict[str, Pipeline | list[Node]] = {
        "data_processing": [
            Node(nodes.process, ["corpora", "params:data_processing"], samples, name="process")
        ],
        "training": training_pipeline("training", train),
        "evaluation": [
            Node(nodes.test, [model, *samples], ["predictions", "results"], name="test"),
            Node(per_class_report, "predictions", "per_class_report", name="report_classes"),
            Node(nodes.compare_networks, compared, "comparison", name="compare_networks"),
        ],
        "packaging": [
            Node(nodes.assemble, [model, "results", *samples], "packaged_models", name="assemble")
        ],
        "promotion": promotion_pipeline(TASK),
    }
    return {name: Pipeline(stage, namespace=TASK.name) for name, stage in stages.items()}
