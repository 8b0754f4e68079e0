import re

import pytest

from bukva.registry.revision import REVISION, git_revision


def test_it_is_asked_of_git(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(REVISION, raising=False)
    assert re.fullmatch(r"[0-9a-f]{40}\+?", git_revision())


def test_an_image_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(REVISION, "abc")
    assert git_revision() == "abc"


def test_nobody_knows_where_there_is_no_git(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(REVISION, "")
    monkeypatch.setenv("PATH", "")
    assert git_revision() == "unknown"
