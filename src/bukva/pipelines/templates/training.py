"""Training a network on a table of samples and their images: the graph of every training stage."""

from collections.abc import Callable
from typing import Any

from kedro.pipeline import Node, Pipeline

from bukva.core.evaluation.figures.training import plot_learning_curves


def training_pipeline(
    namespace: str, train: Callable[..., tuple[Any, Any]], *models: str
) -> Pipeline:
    """Return the pipeline of one training stage.

    Args:
        namespace: Name of the stage and of its parameter group.
        train: Takes table, images, parameters, checkpoints, what is called after each epoch, and
            the models, if any; returns the model and its history.
        models: Datasets with models that the training may start from.

    Returns:
        A pipeline from `sample_table` and `sample_images` to `<namespace>.model`, its history
        and its curves.
    """
    data = ["sample_table", "sample_images"]
    inputs = [*data, "params:parameters", "checkpoints", "epoch_metrics"]
    train_model = Node(
        train,
        inputs=[*inputs, *models],
        outputs=["model", "history"],
        name="train_model",
    )
    plot = Node(
        plot_learning_curves, inputs="history", outputs="learning_curves", name="plot_curves"
    )
    return Pipeline(
        [train_model, plot],
        namespace=namespace,
        inputs={*data, *models},
        parameters={"params:parameters": f"params:{namespace}"},
    )
