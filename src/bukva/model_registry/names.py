"""How things are called in the registry."""

from typing import Final

MODEL_NAME: Final = "bukva-glyph"

PRODUCTION_ALIAS: Final = "prod"
PREVIOUS_ALIAS: Final = "previous"
CANDIDATE_ALIAS: Final = "candidate"

RECOGNISER_TAG: Final = "recogniser_sha256"
TEST_SPLIT_TAG: Final = "test_split_sha256"
"""Digest of the samples that a model was tested on: `bukva.data.samples.digest_test_split`."""

RECOGNISER_FILE: Final = "recogniser.onnx"
"""How the file of a recogniser is called where it is logged, and looked for."""
RECOGNISER_PATH: Final = f"artifacts/{RECOGNISER_FILE}"
"""Where it is within a packaged model."""
