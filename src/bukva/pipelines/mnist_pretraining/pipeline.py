"""Learning to see on digits, of which there are many."""

from kedro.pipeline import Pipeline

from bukva.pipeline_templates.training import training_pipeline


def create_pipeline() -> Pipeline:
    """Return the training template under the name of this stage."""
    return training_pipeline("mnist_pretraining")
