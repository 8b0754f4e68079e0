"""From many images to a table of predictions, by chunks that are done once."""

from kedro.pipeline import Node, Pipeline

from bukva.pipelines.batch_inference import nodes


def create_pipeline() -> Pipeline:
    """Return the pipeline; after a kill, the same command goes on with the chunks that are left."""
    return Pipeline(
        [
            Node(
                nodes.plan,
                inputs=["batch_images", "batch_model", "batch_progress", "params:batch_inference"],
                outputs="batch_plan",
                name="plan_batch",
            ),
            Node(
                nodes.predict,
                inputs=[
                    "batch_images",
                    "batch_model",
                    "batch_plan",
                    "batch_progress",
                    "params:batch_inference",
                ],
                outputs="batch_predictions",
                name="predict_batch",
            ),
            Node(
                nodes.list_rejected,
                inputs="batch_predictions",
                outputs="batch_rejected",
                name="list_rejected_images",
            ),
            Node(
                nodes.report,
                inputs=["batch_plan", "batch_predictions"],
                outputs="batch_report",
                name="report_batch",
            ),
        ]
    )
