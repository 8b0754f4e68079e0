"""A release is what its manifest says, or it is refused."""

import shutil
from pathlib import Path

import pytest

from bukva.cli.released.manifest import read_release
from bukva.errors import ReleaseError


@pytest.fixture
def copied(released: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(released, tmp_path / "copied"))


def test_an_untouched_release_is_read(released: Path) -> None:
    release = read_release(released)
    assert release.version == "2026-11-21"
    assert release.unseen == ["digits"]


def test_every_changed_or_missing_file_is_named_with_both_sums(copied: Path) -> None:
    with (copied / "model.onnx").open("ab") as file:
        file.write(b"\0")
    (copied / "MODEL_CARD.md").unlink()
    with pytest.raises(ReleaseError) as caught:
        read_release(copied)
    message = str(caught.value)
    assert "MODEL_CARD.md: expected sha256" in message
    assert "got no file" in message
    [line] = [line for line in message.splitlines() if "model.onnx:" in line]
    sums = [word.strip(",") for word in line.split() if len(word.strip(",")) == 64]
    assert len(set(sums)) == 2
    assert "model.safetensors" not in message


@pytest.mark.parametrize("content", [None, "", "{}", '{"release": {}, "files": {}, "more": 1}'])
def test_a_manifest_that_is_none_is_refused(copied: Path, content: str | None) -> None:
    (copied / "manifest.json").unlink()
    if content is not None:
        (copied / "manifest.json").write_text(content)
    with pytest.raises(ReleaseError, match=r"Expected the manifest .*manifest\.json"):
        read_release(copied)
