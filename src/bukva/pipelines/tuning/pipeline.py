"""Searching for better parameters of `finetuning`."""

from kedro.pipeline import Node, Pipeline

from bukva.pipelines.tuning import nodes


def create_pipeline() -> Pipeline:
    """Return the search, its best parameters and its figures."""
    inputs = [
        *("sample_table", "sample_images", "pretrained"),
        *("params:finetuning", "params:parameters", "studies", "trial_runs"),
    ]
    trials = ["trials", "params:parameters"]
    return Pipeline(
        [
            Node(nodes.run_search, inputs, "trials", name="run_search"),
            Node(nodes.choose_parameters, trials, "best_parameters", name="choose_parameters"),
            Node(nodes.draw_trials, trials, "progress", name="draw_trials"),
            Node(nodes.draw_importances, trials, "importances", name="draw_importances"),
            Node(nodes.draw_parallel, trials, "parallel", name="draw_parallel"),
        ],
        namespace="tuning",
        inputs={
            "sample_table": "sample_table",
            "sample_images": "sample_images",
            "pretrained": "mnist_pretraining.model",
        },
        parameters={
            "params:finetuning": "params:finetuning",
            "params:parameters": "params:tuning",
        },
    )
