"""From the trained model to the packaged recogniser."""

from bukva.pipelines.packaging.pipeline import create_pipeline

__all__ = ["create_pipeline"]
