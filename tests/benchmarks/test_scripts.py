"""The programs beside the package: none of them rots unseen, as nothing else imports them."""

import runpy
import sys
import traceback
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pandas as pd
import pytest
import torch
from clean_forks import clean_forks
from fastapi.testclient import TestClient
from kedro_project import PROJECT

import bukva_released
from bukva.tasks.glyph.recogniser import Recogniser

SCRIPTS = sorted([*PROJECT.glob("benchmarks/*.py"), *PROJECT.glob("tools/*.py")])


def load_as_when_run(paths: list[Path]) -> None:
    """For a process of its own: some scripts change what is imported after them."""
    failed = []
    for path in paths:
        sys.path.insert(0, str(path.parent))
        try:
            runpy.run_path(str(path), run_name="not main")
        except Exception:
            traceback.print_exc()
            failed.append(path.name)
    sys.exit(f"These do not find what they import: {failed}" if failed else 0)


def test_scripts_find_all_that_they_import() -> None:
    assert len(SCRIPTS) > 20
    process = clean_forks().Process(target=load_as_when_run, args=(SCRIPTS,))
    process.start()
    process.join(timeout=200)
    assert process.exitcode == 0


@pytest.fixture
def threads_restored() -> Iterator[None]:
    """The peer takes one thread, for the whole process."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("threads_restored")
def test_the_peer_reads_what_the_recogniser_reads() -> None:
    letter = (PROJECT / "docs" / "images" / "letter.png").read_bytes()
    peer = import_module("load.peer_endpoint")
    answer = TestClient(peer.app).post("/predict", files={"file": ("letter.png", letter)}).json()
    onnx_model = (Path(bukva_released.__file__).parent / "model.onnx").read_bytes()
    [expected] = Recogniser(onnx_model).recognise(pd.Series([letter])).to_dict(orient="records")
    assert (answer["symbol"], answer["case"]) == (expected["symbol"], expected["case"])
    assert answer["confidence"] == pytest.approx(expected["confidence"], abs=1e-4)
