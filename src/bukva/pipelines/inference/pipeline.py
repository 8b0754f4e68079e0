"""From encoded images to answers: what is packaged, and what serves."""

import pandas as pd
from kedro.pipeline import Node, Pipeline

from bukva.tasks.glyph.recogniser import Recogniser


def create_pipeline() -> Pipeline:
    """Return the pipeline; importing it needs no torch."""
    return Pipeline(
        [
            Node(
                recognise,
                inputs=["images", "recogniser"],
                outputs="answers",
                name="recognise_images",
            )
        ]
    )


def recognise(images: pd.DataFrame, recogniser: Recogniser) -> pd.DataFrame:
    """Answer for the encoded images in the column `image`, with a map where `explain` is true.

    The columns `explain` and `source` need not be there: see `bukva.tasks.glyph.answer.Question`.
    """
    return recogniser.recognise(images["image"], images.get("explain"), images.get("source"))
