"""Every network, and a decision tree, measured on the same digits."""

from kedro.pipeline import Node, Pipeline

from bukva.evaluation.figures.networks import plot_network_comparison
from bukva.pipelines.network_comparison import nodes

_GROUP = "params:network_comparison"


def create_pipeline() -> Pipeline:
    """Return the pipeline from the sample table to a table of networks and its figure."""
    samples = ["sample_table", "sample_images", _GROUP]
    return Pipeline(
        [
            Node(
                nodes.grow_tree,
                inputs=samples,
                outputs=["tree_measurement", "tree_report"],
                name="grow_tree",
            ),
            Node(
                nodes.compare_networks,
                inputs=[
                    "tree_measurement",
                    *samples,
                    "params:packaging",
                    "network_comparison.kept",
                ],
                outputs="network_comparison",
                name="compare_networks",
            ),
            Node(
                plot_network_comparison,
                inputs="network_comparison",
                outputs="network_comparison_plot",
                name="plot_networks",
            ),
        ]
    )
