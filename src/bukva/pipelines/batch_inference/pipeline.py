"""From many images to a table of predictions, by chunks that are done once."""

from kedro.pipeline import Node, Pipeline

from bukva.pipelines.batch_inference import nodes


def create_pipeline() -> Pipeline:
    """Return the pipeline; after a kill, the same command goes on with the chunks that are left."""
    asked, settings = ["batch_images", "batch_model"], ["batch_progress", "params:batch_inference"]
    parts = "batch_predictions"
    return Pipeline(
        [
            Node(nodes.plan, [*asked, *settings], "batch_plan", name="plan_batch"),
            Node(nodes.predict, [*asked, "batch_plan", *settings], parts, name="predict_batch"),
            Node(nodes.list_rejected, parts, "batch_rejected", name="list_rejected_images"),
            Node(nodes.report, ["batch_plan", parts], "batch_report", name="report_batch"),
        ]
    )
