"""From a packaged candidate to a registered version, and to production if it is better."""

from kedro.pipeline import Node, Pipeline

from bukva.pipelines.promotion import nodes


def create_pipeline() -> Pipeline:
    """Return the pipeline; saving `registration` is what registers and promotes."""
    return Pipeline(
        [
            Node(
                nodes.decide,
                inputs=[
                    "candidate_model",
                    "production_model",
                    "verdict",
                    "params:promotion",
                ],
                outputs=["decision", "registration"],
                name="decide",
            )
        ]
    )
