"""From a packaged candidate to a registered version, and to production if it is good enough."""

from bukva.pipelines.promotion.pipeline import create_pipeline

__all__ = ["create_pipeline"]
