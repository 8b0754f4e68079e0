"""From raw corpora to the sample table, its images and the data report."""

from kedro.pipeline import Node, Pipeline

from bukva.pipelines.data_processing import nodes
from bukva.tasks.glyph.figures.samples import plot_raw_samples


def create_pipeline() -> Pipeline:
    """Return the pipeline; its outputs are what every later stage reads."""
    return Pipeline(
        [
            Node(
                nodes.collect,
                inputs=[
                    "corpora",
                    "published_split",
                    "params:embedded",
                    "params:data_processing",
                ],
                outputs=["collected_table", "collected_images", "rejected_images", "raw_samples"],
                name="collect_samples",
            ),
            Node(
                nodes.split,
                inputs=[
                    "collected_table",
                    "collected_images",
                    "corpora_manifest",
                    "params:data_processing",
                ],
                outputs=["symbol_table", "symbol_images", "duplicates"],
                name="split_samples",
            ),
            Node(
                nodes.add_outliers,
                inputs=["symbol_table", "symbol_images", "params:data_processing"],
                outputs=["sample_table", "sample_images"],
                name="add_nonsymbols",
            ),
            Node(
                nodes.report,
                inputs=["sample_table", "rejected_images", "duplicates"],
                outputs="data_report",
                name="report_data",
            ),
            Node(
                nodes.draw_figures,
                inputs=["sample_table", "sample_images"],
                outputs=["class_counts", "sample_sheet", "ink_statistics"],
                name="draw_data_figures",
            ),
            Node(
                plot_raw_samples,
                inputs=["raw_samples", "collected_table", "collected_images"],
                outputs="raw_sample_sheet",
                name="draw_raw_samples",
            ),
        ]
    )
