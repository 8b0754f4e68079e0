"""Measuring what one run of `evaluation` cannot say: each part is a namespace, run alone or not."""

from kedro.pipeline import Node, Pipeline

from targets import nodes
from targets.table import to_markdown

_SAMPLES = ["sample_table", "sample_images"]
_PARAMETERS = ["params:evaluation", "params:benchmark"]


def create_pipeline() -> Pipeline:
    """Return the parts; those that train keep what they have, and go on with the rest."""
    served = _size() + _latency() + _page_digits()
    return served + _mnist_seeds() + _leave_one_corpus_out() + _cross_validation()


def create_report_pipeline() -> Pipeline:
    """Return the pipeline that puts whatever was measured beside the targets."""
    inputs = ["benchmark_targets", "benchmark_measurements"]
    return Pipeline(
        [
            Node(nodes.judge, inputs, "benchmark_results", name="judge_targets"),
            Node(to_markdown, "benchmark_results", "benchmark_table", name="write_table"),
        ]
    )


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


def _page_digits() -> Pipeline:
    inputs = ["recogniser", *_SAMPLES, "params:mnist_pretraining", "params:benchmark"]
    return _part(
        "page_digits",
        Node(nodes.ask_with_pages, inputs, "predictions", name="ask_with_pages"),
        Node(nodes.score_pages, "predictions", "scores", name="score_pages"),
    )


def _latency() -> Pipeline:
    inputs = ["recogniser", *_SAMPLES, "params:mnist_pretraining", "params:benchmark"]
    return _part(
        "latency",
        Node(nodes.time_recogniser, inputs, "times", name="time_recogniser"),
        Node(nodes.summarise_times, "times", "scores", name="summarise_times"),
    )


def _size() -> Pipeline:
    inputs = ["finetuning.model", "recogniser"]
    return _part("size", Node(nodes.measure_size, inputs, "scores", name="measure_size"))


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
