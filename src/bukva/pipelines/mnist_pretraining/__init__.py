"""Learning to see on digits, of which there are many."""

from bukva.pipelines.mnist_pretraining.pipeline import create_pipeline

__all__ = ["create_pipeline"]
