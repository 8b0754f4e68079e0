"""From many images to a table of predictions, by chunks that are done once."""

from bukva.pipelines.batch_inference.pipeline import create_pipeline

__all__ = ["create_pipeline"]
