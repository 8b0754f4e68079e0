"""Learning letters and digits, from the backbone that has seen digits."""

from bukva.pipelines.finetuning.pipeline import create_pipeline

__all__ = ["create_pipeline"]
