"""How things are called in the registry."""

from typing import Final

from bukva.registry.package_files import RECOGNISER_FILE, RECOGNISER_PATH

__all__ = [
    "CANDIDATE_ALIAS", "MODEL_NAME", "PREVIOUS_ALIAS", "PRODUCTION_ALIAS", "RECOGNISER_FILE",
    "RECOGNISER_PATH", "RECOGNISER_TAG", "TEST_SPLIT_TAG",
]  # fmt: skip

MODEL_NAME: Final = "bukva-glyph"

PRODUCTION_ALIAS: Final = "prod"
PREVIOUS_ALIAS: Final = "previous"
CANDIDATE_ALIAS: Final = "candidate"

RECOGNISER_TAG: Final = "recogniser_sha256"
TEST_SPLIT_TAG: Final = "test_split_sha256"
"""Digest of the samples that a model was tested on: `bukva.core.samples.digest_test_split`."""
