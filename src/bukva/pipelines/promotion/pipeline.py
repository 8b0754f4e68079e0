"""From a packaged candidate to a registered version, and to production if it is better."""

from kedro.pipeline import Node, Pipeline

from bukva.pipelines.promotion import nodes


def create_pipeline() -> Pipeline:
    """Return the pipeline; saving `registration` is what registers and promotes."""
    return Pipeline(
        [
            Node(
                nodes.judge_candidate,
                inputs=[
                    "candidate_model",
                    "production_model",
                    "sample_table",
                    "sample_images",
                    "results",
                    "params:promotion",
                ],
                outputs=["verdict", "registration"],
                name="judge_candidate",
            )
        ]
    )
