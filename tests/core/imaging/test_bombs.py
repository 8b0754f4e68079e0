"""What is refused by its header is refused before its pixels have memory."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from bad_images import BadImage, bombs

HELPERS = Path(__file__).parents[2] / "helpers"

CHILD = HELPERS / "decode_in_little_memory.py"
BOMBS = bombs()

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux holds a process to its limit of address space"
)


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What a process says of each bomb that may take 32 MB more than it has when it begins."""
    folder = tmp_path_factory.mktemp("bombs")
    paths = [folder / str(number) for number in range(len(BOMBS))]
    for path, bomb in zip(paths, BOMBS, strict=True):
        path.write_bytes(bomb.make())
    command = [sys.executable, str(CHILD), *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    *answers, control = json.loads(done.stdout)
    return {bomb.name: answer for bomb, answer in zip(BOMBS, answers, strict=True)} | {
        "without our limits": control
    }


@pytest.mark.parametrize("bomb", BOMBS, ids=lambda bomb: bomb.name)
def test_a_bomb_takes_no_memory(said: dict[str, str], bomb: BadImage) -> None:
    assert said[bomb.name] == (bomb.code or "read")


def test_so_little_memory_would_not_hold_the_pixels(said: dict[str, str]) -> None:
    assert said["without our limits"] == "MemoryError"
