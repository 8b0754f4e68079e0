"""Learning letters and digits, from the backbone that has seen digits."""

from kedro.pipeline import Pipeline

from bukva.pipelines.templates.training import training_pipeline
from bukva.tasks.glyph.training import train_model


def create_pipeline() -> Pipeline:
    """Return the training template under the name of this stage."""
    return training_pipeline("finetuning", train_model, pretrained="mnist_pretraining.model")
