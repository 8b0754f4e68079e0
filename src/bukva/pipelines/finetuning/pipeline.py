"""Learning letters and digits, from the backbone that has seen digits."""

from kedro.pipeline import Pipeline

from bukva.pipeline_templates.training import training_pipeline


def create_pipeline() -> Pipeline:
    """Return the training template under the name of this stage."""
    return training_pipeline("finetuning", pretrained="mnist_pretraining.model")
