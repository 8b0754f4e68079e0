"""From encoded images to answers: what is packaged, and what serves."""

from kedro.pipeline import Node, Pipeline

from bukva.pipelines.inference import nodes


def create_pipeline() -> Pipeline:
    """Return the pipeline; importing it needs no torch."""
    return Pipeline(
        [
            Node(
                nodes.recognise,
                inputs=["images", "recogniser"],
                outputs="answers",
                name="recognise_images",
            )
        ]
    )
