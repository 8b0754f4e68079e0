"""Searching for better parameters of `finetuning`."""

from bukva.pipelines.tuning.pipeline import create_pipeline

__all__ = ["create_pipeline"]
