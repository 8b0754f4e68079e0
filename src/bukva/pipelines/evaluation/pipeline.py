"""Measuring both models on their test samples."""

from kedro.pipeline import Node, Pipeline

from bukva.pipelines.evaluation import nodes
from bukva.pipelines.templates.evaluation import evaluation_pipeline
from bukva.tasks.glyph.evaluation.label_noise import find_suspects
from bukva.tasks.glyph.evaluation.metrics import misread_pairs, per_class_report
from bukva.tasks.glyph.figures.calibration import plot_reliability
from bukva.tasks.glyph.figures.conditions import plot_conditions
from bukva.tasks.glyph.figures.confusion import plot_case_confusion, plot_label_confusion
from bukva.tasks.glyph.figures.ranking import plot_risk_coverage, plot_roc
from bukva.tasks.glyph.figures.refusal import plot_refusal
from bukva.tasks.glyph.figures.robustness import plot_robustness


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
                nodes.predict_outliers,
                inputs=[
                    "finetuning.model",
                    predictions,
                    "sample_table",
                    "sample_images",
                    "params:evaluation",
                ],
                outputs="outlier_predictions",
                name="predict_outliers",
            ),
            Node(
                nodes.score_refusal,
                inputs=["outlier_predictions", "params:evaluation"],
                outputs="refusal",
                name="score_refusal",
            ),
            Node(
                plot_refusal,
                inputs=["outlier_predictions", "refusal"],
                outputs="refusal_figure",
                name="plot_refusal",
            ),
            Node(
                nodes.merge_results,
                inputs=[
                    "evaluation.digits.scores",
                    "evaluation.glyphs.scores",
                    "bootstrapped_scores",
                    "refusal",
                    "finetuning.model",
                    "params:mnist_pretraining",
                ],
                outputs=["results", "test_metrics"],
                name="merge_results",
            ),
            Node(per_class_report, predictions, "per_class_report", name="report_classes"),
            Node(misread_pairs, predictions, "misread_pairs", name="count_misread_pairs"),
            Node(find_suspects, predictions, "label_suspects", name="find_suspects"),
            Node(plot_label_confusion, predictions, "label_confusion", name="plot_labels"),
            Node(plot_case_confusion, predictions, "case_confusion", name="plot_cases"),
            Node(plot_reliability, predictions, "reliability", name="plot_reliability"),
            Node(plot_roc, predictions, "roc", name="plot_roc"),
            Node(plot_risk_coverage, predictions, "risk_coverage", name="plot_risk_coverage"),
            Node(
                nodes.disturb_samples,
                inputs=[
                    "finetuning.model",
                    "sample_table",
                    "sample_images",
                    predictions,
                    "params:evaluation",
                ],
                outputs="robustness",
                name="disturb_samples",
            ),
            Node(plot_robustness, "robustness", "robustness_curves", name="plot_robustness"),
            Node(
                nodes.measure_on_paper,
                inputs=["corpora", "sample_table", "finetuning.model", "params:evaluation"],
                outputs="conditions",
                name="measure_conditions",
            ),
            Node(plot_conditions, "conditions", "conditions_figure", name="plot_conditions"),
            Node(
                nodes.draw_mistakes,
                inputs=["sample_table", "sample_images", predictions, "params:evaluation"],
                outputs="worst_mistakes",
                name="draw_mistakes",
            ),
            Node(
                nodes.explain_mistakes,
                inputs=[
                    "finetuning.model",
                    "sample_table",
                    "sample_images",
                    predictions,
                    "params:evaluation",
                ],
                outputs="explained_mistakes",
                name="explain_mistakes",
            ),
            Node(
                nodes.write_card,
                inputs=[
                    "model_card_template",
                    "finetuning.model",
                    "results",
                    "robustness",
                    "conditions",
                    "corpora_manifest",
                ],
                outputs="model_card",
                name="write_card",
            ),
        ]
    )
    return digits + glyphs + summary
