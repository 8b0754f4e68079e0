"""From the trained model to a packaged one."""

from bukva.pipelines.packaging.pipeline import create_pipeline

__all__ = ["create_pipeline"]
