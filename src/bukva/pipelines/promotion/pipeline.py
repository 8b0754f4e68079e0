"""From a packaged candidate to a registered version, and to production if it is good enough."""

from kedro.pipeline import Node, Pipeline

from bukva.pipelines.promotion import nodes


def create_pipeline() -> Pipeline:
    """Return the pipeline; saving `registration` is what registers and promotes."""
    return Pipeline(
        [
            Node(
                nodes.choose_candidate,
                inputs=["packaged_models", "registered_models", "params:promotion"],
                outputs="candidate_model",
                name="choose_candidate",
            ),
            Node(
                nodes.judge_candidate,
                inputs=[
                    "candidate_model",
                    "registered_models",
                    "sample_table",
                    "sample_images",
                    "params:promotion",
                ],
                outputs="verdict",
                name="judge_candidate",
            ),
            Node(
                nodes.decide,
                inputs=["candidate_model", "registered_models", "verdict", "params:promotion"],
                # In this order: what could not be carried out was not decided.
                outputs=["registration", "decision"],
                name="decide",
            ),
        ]
    )
