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
                outputs="decision",
                name="decide",
            ),
            Node(
                nodes.add_dossier,
                inputs=[
                    "decision",
                    "candidate_model",
                    "golden_samples",
                    "drift_reference",
                    "results",
                    "model_card",
                    "label_confusion",
                    "case_confusion",
                ],
                outputs="registration",
                name="add_dossier",
            ),
        ]
    )
