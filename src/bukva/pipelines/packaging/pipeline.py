"""From the trained model to the packaged recogniser.

kedro-mlflow logs the pyfunc when the pipeline ends. A `PipelineML` loses its type when it is added
to another pipeline, so this one is registered alone.
"""

from kedro.pipeline import Node, Pipeline
from kedro_mlflow.pipeline import pipeline_ml_factory
from kedro_mlflow.pipeline.pipeline_ml import PipelineML

from bukva.model_registry.lean_runner import SequentialRunner
from bukva.model_registry.packaging import LOG_MODEL_ARGUMENTS
from bukva.pipelines.packaging import nodes


def create_pipeline(inference: Pipeline) -> PipelineML:
    """Return the export nodes, with the inference pipeline as what they package."""
    export = Pipeline(
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
        ]
    )
    return pipeline_ml_factory(
        training=export,
        inference=inference,
        input_name="images",
        kpm_kwargs={"runner": SequentialRunner()},
        log_model_kwargs=LOG_MODEL_ARGUMENTS,
    )
