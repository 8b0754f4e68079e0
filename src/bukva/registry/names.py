"""How things are called in the registry."""

from typing import Final


def name_model(task: str) -> str:
    """Return how the registered model of a task is called: `${model_name:glyph}` in a catalog."""
    return f"bukva-{task}"


MODEL_NAME: Final = name_model("glyph")
"""Of the model that the service answers with and the command line tells of."""

PRODUCTION_ALIAS: Final = "prod"
PREVIOUS_ALIAS: Final = "previous"
CANDIDATE_ALIAS: Final = "candidate"

RECOGNISER_TAG: Final = "recogniser_sha256"
TEST_SPLIT_TAG: Final = "test_split_sha256"
"""Digest of the samples that a model was tested on: `bukva.core.samples.digest_test_split`."""
