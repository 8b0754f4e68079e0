"""Searching for better parameters of `finetuning`."""

from kedro.pipeline import Node, Pipeline

from bukva.pipelines.tuning import nodes


def create_pipeline() -> Pipeline:
    """Return the search, its best parameters and its figures."""
    described = ["tuning.trials", "params:tuning"]
    return Pipeline(
        [
            Node(
                nodes.run_search,
                inputs=[
                    "sample_table",
                    "sample_images",
                    "mnist_pretraining.model",
                    "params:finetuning",
                    "params:tuning",
                    "tuning.studies",
                    "tuning.trial_runs",
                ],
                outputs="tuning.trials",
                name="run_search",
            ),
            Node(
                nodes.choose_parameters,
                inputs=described,
                outputs="tuning.best_parameters",
                name="choose_parameters",
            ),
            Node(nodes.draw_trials, described, "tuning.progress", name="draw_trials"),
            Node(nodes.draw_importances, described, "tuning.importances", name="draw_importances"),
            Node(nodes.draw_parallel, described, "tuning.parallel", name="draw_parallel"),
        ]
    )
