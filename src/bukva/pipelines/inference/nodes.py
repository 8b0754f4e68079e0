"""Nodes of `inference`."""

import pandas as pd

from bukva.tasks.glyph.recogniser import Recogniser


def recognise(images: pd.DataFrame, recogniser: Recogniser) -> pd.DataFrame:
    """Answer for the encoded images in the column `image`, with a map where `explain` is true."""
    return recogniser.recognise(images["image"], images.get("explain"))
