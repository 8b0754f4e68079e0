"""The public corpora for tests marked `corpora`, where they have been fetched."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bukva.datasets.storage import load_manifest, missing_files, read_files

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def read_corpus() -> Callable[[str], dict[str, bytes]]:
    """Return a function that reads a corpus's files, verified, or skips the test."""
    folder = os.environ.get("BUKVA_CORPORA", str(PROJECT / "data" / "01_raw"))
    entries = load_manifest(str(PROJECT / "conf" / "base" / "corpora.yml"))

    def read(name: str) -> dict[str, bytes]:
        if missing_files(entries[name], folder):
            pytest.skip(
                f"corpus {name} is not in {folder}: fetch it with `make corpora FROM=<mirror>` "
                f"or name a mirror in BUKVA_CORPORA"
            )
        return read_files(entries[name], folder)

    return read
