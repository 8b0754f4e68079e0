"""The pipelines by name, and sums of them."""

from kedro.pipeline import Pipeline

from bukva.pipelines.batch_inference import pipeline as batch_inference
from bukva.pipelines.character.pipeline import create_pipelines as character
from bukva.pipelines.data_processing import pipeline as data_processing
from bukva.pipelines.evaluation import pipeline as evaluation
from bukva.pipelines.feedback_ingestion import pipeline as feedback_ingestion
from bukva.pipelines.finetuning import pipeline as finetuning
from bukva.pipelines.inference import pipeline as inference
from bukva.pipelines.mnist_pretraining import pipeline as mnist_pretraining
from bukva.pipelines.packaging import pipeline as packaging
from bukva.pipelines.promotion import pipeline as promotion
from bukva.pipelines.tuning import pipeline as tuning


def register_pipelines() -> dict[str, Pipeline]:
    """Return the table of pipelines; each node is tagged with the stage that it belongs to."""
    stages = {
        "data_processing": data_processing.create_pipeline(),
        "mnist_pretraining": mnist_pretraining.create_pipeline(),
        "finetuning": finetuning.create_pipeline(),
        "evaluation": evaluation.create_pipeline(),
        "packaging": packaging.create_pipeline(),
    }
    tagged = {name: Pipeline(stage, tags=name) for name, stage in stages.items()}
    characters = character()
    return {
        "__default__": sum(tagged.values(), start=Pipeline([])),
        **tagged,
        "feedback_ingestion": feedback_ingestion.create_pipeline(),
        "tuning": tuning.create_pipeline(),
        "inference": inference.create_pipeline(),
        "batch_inference": batch_inference.create_pipeline(),
        "promotion": promotion.create_pipeline(),
        "character": sum(list(characters.values())[:-1], start=Pipeline([])),
        **{f"character.{name}": stage for name, stage in characters.items()},
    }
