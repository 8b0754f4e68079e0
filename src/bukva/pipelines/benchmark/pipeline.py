"""Measuring what one run of `evaluation` cannot say: each part is a namespace, run alone or not."""

from kedro.pipeline import Node, Pipeline

from bukva.pipelines.benchmark import nodes

_SAMPLES = ["sample_table", "sample_images"]
_PARAMETERS = ["params:evaluation", "params:benchmark"]


def create_pipeline() -> Pipeline:
    """Return the parts; those that train keep what they have, and go on with the rest."""
    return _cross_validation() + _leave_one_corpus_out() + _mnist_seeds()


def _cross_validation() -> Pipeline:
    inputs = ["benchmark.base_model", *_SAMPLES, "params:finetuning", *_PARAMETERS]
    return _part(
        "cross_validation",
        Node(nodes.cross_validate, [*inputs, "kept"], "predictions", name="predict_folds"),
        Node(nodes.score_folds, "predictions", "scores", name="score_folds"),
    )


def _leave_one_corpus_out() -> Pipeline:
    models = ["benchmark.base_model", "mnist_pretraining.model"]
    inputs = [*models, *_SAMPLES, "params:finetuning", *_PARAMETERS]
    return _part(
        "leave_one_corpus_out",
        Node(nodes.leave_one_out, [*inputs, "kept"], "predictions", name="predict_left_out"),
        Node(nodes.score_left_out, "predictions", "scores", name="score_left_out"),
    )


def _mnist_seeds() -> Pipeline:
    inputs = [*_SAMPLES, "params:mnist_pretraining", *_PARAMETERS]
    return _part(
        "mnist_seeds",
        Node(nodes.repeat_pretraining, [*inputs, "kept"], "predictions", name="predict_digits"),
        Node(nodes.score_pretraining, "predictions", "scores", name="score_seeds"),
    )


def _part(name: str, *part: Node) -> Pipeline:
    """Return nodes under the namespace of a part; only its own datasets get its name."""
    pipeline = Pipeline(list(part))
    shared = pipeline.inputs() - {"kept"}
    parameters = {item for item in shared if item.startswith("params:")}
    return Pipeline(
        pipeline,
        namespace=f"benchmark.{name}",
        inputs=shared - parameters,
        parameters=parameters,
    )
