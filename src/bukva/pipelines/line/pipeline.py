"""The stages of the task `line`, each a pipeline of its own."""

from kedro.pipeline import Node, Pipeline

from bukva.pipelines.line import nodes

NAME = "line"


def create_pipelines() -> dict[str, Pipeline]:
    """Return the stages by name: `data_processing` and so on."""
    samples = ["sample_table", "sample_images"]
    characters = ["character_table", "character_images"]
    parameters = "params:data_processing"
    stages: dict[str, list[Node]] = {
        "data_processing": [
            Node(nodes.gather_characters, ["corpora", parameters], characters,
                 name="gather_characters"),
            Node(nodes.process, ["corpora", *characters, parameters],
                 [*samples, "texts", "data_report"], name="process"),
            Node(nodes.plot_lines, ["texts", *characters, parameters], "made_lines",
                 name="plot_made_lines"),
        ],
    }  # fmt: skip
    return {name: Pipeline(stage, namespace=NAME) for name, stage in stages.items()}
