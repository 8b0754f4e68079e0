"""From raw corpora to the sample table, its images and the data report."""

from bukva.pipelines.data_processing.pipeline import create_pipeline

__all__ = ["create_pipeline"]
