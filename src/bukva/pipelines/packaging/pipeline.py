"""From the trained model to a packaged one."""

from kedro.pipeline import Node, Pipeline

from bukva.pipelines.packaging import nodes


def create_pipeline() -> Pipeline:
    """Return the pipeline; saving to `packaged_models` is what logs the pyfunc."""
    return Pipeline(
        [
            Node(
                nodes.export,
                inputs=["finetuning.model", "params:packaging"],
                outputs="exported_recogniser",
                name="export_recogniser",
            ),
            Node(
                nodes.verify,
                inputs=[
                    "finetuning.model",
                    "exported_recogniser",
                    "sample_table",
                    "sample_images",
                    "params:packaging",
                ],
                outputs=["recogniser", "parity"],
                name="verify_parity",
            ),
            Node(
                nodes.choose_golden_samples,
                inputs=["recogniser", "sample_table", "sample_images", "params:packaging"],
                outputs="golden_samples",
                name="choose_golden_samples",
            ),
            Node(
                nodes.describe_drift_reference,
                inputs=["recogniser", "sample_table", "sample_images", "params:packaging"],
                outputs="drift_reference",
                name="describe_drift_reference",
            ),
            Node(
                nodes.assemble_dossier,
                inputs=[
                    "golden_samples",
                    "drift_reference",
                    "results",
                    "model_card",
                    "label_confusion",
                    "case_confusion",
                    "params:mnist_pretraining",
                    "params:finetuning",
                ],
                outputs="dossier",
                name="assemble_dossier",
            ),
            Node(
                nodes.assemble_package,
                inputs=["recogniser", "dossier", "results", "sample_table", "sample_images"],
                outputs="packaged_models",
                name="assemble_package",
            ),
        ]
    )
