"""Every network, and a decision tree, measured on the same digits."""

from bukva.pipelines.network_comparison.pipeline import create_pipeline

__all__ = ["create_pipeline"]
