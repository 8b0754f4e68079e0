"""From encoded images to answers: what is packaged, and what serves."""

from bukva.pipelines.inference.pipeline import create_pipeline

__all__ = ["create_pipeline"]
