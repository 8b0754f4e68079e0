"""From stored corrections to the corpus `feedback`, and what a person has to look at."""

from bukva.pipelines.feedback_ingestion.pipeline import create_pipeline

__all__ = ["create_pipeline"]
