"""The pipelines by name, and sums of them."""

from kedro.pipeline import Pipeline

from bukva.pipelines import (
    batch_inference,
    benchmark,
    data_processing,
    evaluation,
    feedback_ingestion,
    finetuning,
    inference,
    mnist_pretraining,
    network_comparison,
    packaging,
    promotion,
    tuning,
)


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
    return {
        "__default__": sum(tagged.values(), start=Pipeline([])),
        **tagged,
        "feedback_ingestion": feedback_ingestion.create_pipeline(),
        "tuning": tuning.create_pipeline(),
        "inference": inference.create_pipeline(),
        "batch_inference": batch_inference.create_pipeline(),
        "promotion": promotion.create_pipeline(),
        "network_comparison": network_comparison.create_pipeline(),
        "benchmark": benchmark.create_pipeline(),
        "benchmark_report": benchmark.create_report_pipeline(),
    }
