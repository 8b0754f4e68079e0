"""Measuring the targets that one run of `evaluation` does not measure, and the table of all."""

from bukva.pipelines.benchmark.pipeline import create_pipeline, create_report_pipeline

__all__ = ["create_pipeline", "create_report_pipeline"]
