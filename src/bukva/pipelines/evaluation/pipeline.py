"""Measuring both models on their test samples, and judging the second."""

from kedro.pipeline import Node, Pipeline

from bukva.evaluation.figures.calibration import plot_reliability
from bukva.evaluation.figures.confusion import plot_case_confusion, plot_label_confusion
from bukva.evaluation.metrics import misread_pairs, per_class_report
from bukva.pipeline_templates.evaluation import evaluation_pipeline
from bukva.pipelines.evaluation import nodes


def create_pipeline() -> Pipeline:
    """Return the template for both models, the results of both and the figures of the second."""
    digits = evaluation_pipeline("evaluation.digits", model="mnist_pretraining.model")
    glyphs = evaluation_pipeline("evaluation.glyphs", model="finetuning.model")
    predictions = "evaluation.glyphs.predictions"
    summary = Pipeline(
        [
            Node(
                nodes.bootstrap,
                [predictions, "params:evaluation"],
                "bootstrapped_scores",
                name="bootstrap_scores",
            ),
            Node(
                nodes.merge_results,
                inputs=[
                    "evaluation.digits.scores",
                    "evaluation.glyphs.scores",
                    "bootstrapped_scores",
                    "finetuning.model",
                    "params:mnist_pretraining",
                ],
                outputs=["results", "test_metrics"],
                name="merge_results",
            ),
            Node(per_class_report, predictions, "per_class_report", name="report_classes"),
            Node(misread_pairs, predictions, "misread_pairs", name="count_misread_pairs"),
            Node(plot_label_confusion, predictions, "label_confusion", name="plot_labels"),
            Node(plot_case_confusion, predictions, "case_confusion", name="plot_cases"),
            Node(plot_reliability, predictions, "reliability", name="plot_reliability"),
            Node(
                nodes.draw_mistakes,
                inputs=["sample_table", "sample_images", predictions, "params:evaluation"],
                outputs="worst_mistakes",
                name="draw_mistakes",
            ),
            Node(
                nodes.judge_candidate,
                inputs=[
                    "finetuning.model",
                    predictions,
                    "results",
                    "production_model",
                    "sample_table",
                    "sample_images",
                    "params:evaluation",
                ],
                outputs="verdict",
                name="judge_candidate",
            ),
        ]
    )
    return digits + glyphs + summary
