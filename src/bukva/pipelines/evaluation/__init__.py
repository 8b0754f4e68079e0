"""Measuring both models on their test samples."""

from bukva.pipelines.evaluation.pipeline import create_pipeline

__all__ = ["create_pipeline"]
