"""Measuring the targets that one run of `evaluation` does not measure."""

from bukva.pipelines.benchmark.pipeline import create_pipeline

__all__ = ["create_pipeline"]
