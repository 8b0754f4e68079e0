"""What travels in a packaged model beside the network: what it is, how good, and how to test it.

`packaging` writes these files into the model before it is sealed; the service reads them, and
does without where a model has none.
"""

from typing import Final

FOLDER: Final = "dossier"
"""Within the packaged model."""

GOLDEN: Final = "golden_samples.json"
"""A list of `{"image": base64, "symbol": str or null, "confidence": float or null}`."""

REFERENCE: Final = "reference.json"
"""How validation samples are spread, by measure: `bukva.inference.reference`."""

RESULTS: Final = "results.json"
"""Flat keys of `evaluation`: accuracies, their 95 % intervals and counts."""

PARAMETERS: Final = "parameters.json"
"""Groups of the parameters that it was made with, by name."""

CARD: Final = "card.md"
"""The model card, for people."""

FIGURE_SUFFIX: Final = ".png"
"""Any other file is a figure, called by what it shows: `label_confusion.png`."""
