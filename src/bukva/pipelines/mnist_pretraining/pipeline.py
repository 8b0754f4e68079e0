"""Learning to see on digits, of which there are many."""

from kedro.pipeline import Pipeline

from bukva.pipelines.templates.training import training_pipeline
from bukva.tasks.glyph.training import train_model


def create_pipeline() -> Pipeline:
    """Return the training template under the name of this stage."""
    return training_pipeline("mnist_pretraining", train_model)
