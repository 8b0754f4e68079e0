"""The pipelines by name, and sums of them."""

from kedro.pipeline import Pipeline

from bukva.pipelines.batch_inference import pipeline as batch_inference
from bukva.pipelines.character.pipeline import create_pipelines as character
from bukva.pipelines.data_processing import pipeline as data_processing
from bukva.pipelines.document.pipeline import create_pipelines as document
from bukva.pipelines.evaluation import pipeline as evaluation
from bukva.pipelines.feedback_ingestion import pipeline as feedback_ingestion
from bukva.pipelines.inference import pipeline as inference
from bukva.pipelines.line.pipeline import create_adaptation as line_adaptation
from bukva.pipelines.line.pipeline import create_pipelines as line
from bukva.pipelines.packaging import pipeline as packaging
from bukva.pipelines.templates.promotion import promotion_pipeline
from bukva.pipelines.templates.training import training_pipeline
from bukva.pipelines.tuning import pipeline as tuning
from bukva.tasks.glyph.task import TASK as GLYPH
from bukva.tasks.glyph.training import train_model


def register_pipelines() -> dict[str, Pipeline]:
    """Return the table of pipelines; each node is tagged with the stage that it belongs to."""
    stages = {
        "data_processing": data_processing.create_pipeline(),
        "mnist_pretraining": training_pipeline("mnist_pretraining", train_model),
        "finetuning": training_pipeline(
            "finetuning", train_model, "mnist_pretraining.model", "released_model"
        ),
        "evaluation": evaluation.create_pipeline(),
        "packaging": packaging.create_pipeline(),
    }
    tagged = {name: Pipeline(stage, tags=name) for name, stage in stages.items()}
    tasks = {"character": character(), "document": document(), "line": line()}
    return {
        "__default__": sum(tagged.values(), start=Pipeline([])),
        **tagged,
        "feedback_ingestion": feedback_ingestion.create_pipeline(),
        "tuning": tuning.create_pipeline(),
        "inference": inference.create_pipeline(),
        "batch_inference": batch_inference.create_pipeline(),
        "promotion": promotion_pipeline(GLYPH),
        # All but promotion, which chooses among models of finished runs.
        **{name: sum(list(parts.values())[:-1], Pipeline([])) for name, parts in tasks.items()},
        **{
            f"{name}.{part}": stage
            for name, parts in tasks.items()
            for part, stage in parts.items()
        },
        "line.adaptation": line_adaptation(),
    }
