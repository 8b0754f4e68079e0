"""From stored corrections to the corpus `feedback`, and what a person has to look at."""

from kedro.pipeline import Node, Pipeline

from bukva.pipelines.feedback_ingestion import nodes
from bukva.tasks.glyph.feedback.collection import collect_drawings


def create_pipeline() -> Pipeline:
    """Return the pipeline; `data_processing` reads its corpus where `corpora` names it."""
    return Pipeline(
        [
            Node(
                collect_drawings,
                inputs=["corrections", "feedback_decisions"],
                outputs=["feedback_drawings", "feedback_images", "feedback_unusable"],
                name="collect_corrections",
            ),
            Node(
                nodes.judge,
                inputs=[
                    "feedback_drawings",
                    "feedback_images",
                    "known_samples",
                    "registered_models",
                    "params:feedback_ingestion",
                ],
                outputs="feedback_outcomes",
                name="judge_corrections",
            ),
            Node(
                nodes.split_off,
                inputs="feedback_outcomes",
                outputs=["feedback_corpus", "feedback_review"],
                name="split_off_corpus",
            ),
            Node(
                nodes.report,
                inputs=["feedback_outcomes", "feedback_unusable", "params:feedback_ingestion"],
                outputs="feedback_report",
                name="report_feedback",
            ),
            Node(
                nodes.draw_figures,
                inputs=["feedback_outcomes", "feedback_images", "feedback_unusable"],
                outputs=["feedback_counts", "feedback_sheet"],
                name="draw_feedback_figures",
            ),
        ]
    )
