import hashlib
from pathlib import Path
from typing import Any

import pytest
import yaml

from bukva.core.corpora.manifest import parse_manifest, select_entries
from bukva.errors import CorpusError, ParameterError

MANIFEST = Path(__file__).parents[3] / "conf" / "base" / "corpora.yml"


def entry(**changes: Any) -> dict[str, Any]:
    file = {"path": "toy/a.gz", "url": "https://example.org/a.gz", "sha256": "0" * 64}
    body = {
        "title": "Toy",
        "homepage": "https://example.org",
        "licence": "CC0",
        "citation": "none",
        "may_release": True,
        "release_reason": "CC0",
        "split": "own",
        "reader": "mnist",
        "files": [{**file, "size_bytes": 3, **changes.pop("file", {})}],
    }
    return {**body, **changes}


def test_the_manifest_of_the_project_parses() -> None:
    entries = parse_manifest(yaml.safe_load(MANIFEST.read_text(encoding="utf-8")))
    glyphs = ["mnist", "emnist", "rukopys", "comnist", "cyrillic_mnist"]
    lines = ["print_and_hand", "tapuscorpus", "testaments", "french_hands"]
    assert list(entries) == [*glyphs, *lines, "ukrainian_text"]
    files = [file for name in entries for file in entries[name].files]
    assert len({file.path for file in files}) == len({file.sha256 for file in files}) == len(files)
    for name, corpus in entries.items():
        assert all(file.path == f"{name}/{file.name}" for file in corpus.files)
    assert entries["mnist"].size_bytes == 9912422 + 28881 + 1648877 + 4542


def test_all_faults_of_all_entries_are_reported_together() -> None:
    content = {
        "first": entry(split="random", licence=""),
        "second": entry(reader="nobody", color="red", file={"sha256": "abc", "size_bytes": 0}),
        "third": entry(),
    }
    with pytest.raises(ParameterError) as caught:
        parse_manifest(content)
    message = str(caught.value)
    for place in (
        "first.split",
        "first.licence",
        "second.reader",
        "second.color",
        "second.files.0.sha256",
        "second.files.0.size_bytes",
    ):
        assert place in message
    assert "third" not in message


@pytest.mark.parametrize("path", ["../up.gz", "/etc/passwd", "a/../b", "deep/down/a.gz", "a.gz"])
def test_a_path_outside_its_folder_is_refused(path: str) -> None:
    with pytest.raises(ParameterError, match=r"toy\.files\.0\.path"):
        parse_manifest({"toy": entry(file={"path": path})})


@pytest.mark.parametrize("url", ["http://example.org/a.gz", "file:///etc/passwd", "https:///a"])
def test_an_address_that_is_not_https_is_refused(url: str) -> None:
    with pytest.raises(ParameterError, match=r"toy\.files\.0\.url"):
        parse_manifest({"toy": entry(file={"url": url})})


def test_a_file_without_address_needs_a_note() -> None:
    with pytest.raises(ParameterError, match="note"):
        parse_manifest({"toy": entry(file={"url": None})})
    assert parse_manifest({"toy": entry(file={"url": None, "note": "made from x"})})


@pytest.mark.parametrize("content", [None, [], "text"])
def test_a_manifest_that_is_no_mapping_is_refused(content: object) -> None:
    with pytest.raises(ParameterError, match="map names to entries"):
        parse_manifest(content)


def test_select_keeps_the_order_of_the_names_and_names_unknown_ones() -> None:
    entries = parse_manifest({"a": entry(), "b": entry()})
    assert list(select_entries(entries, ["b", "a"])) == ["b", "a"]
    with pytest.raises(CorpusError, match=r"\['x', 'y'\]"):
        select_entries(entries, ["x", "a", "y"])


@pytest.mark.corpora
def test_the_quoted_md5_sums_are_those_of_the_files(read_corpus: Any) -> None:
    entries = parse_manifest(yaml.safe_load(MANIFEST.read_text(encoding="utf-8")))
    contents = read_corpus("mnist")
    for file in entries["mnist"].files:
        digest = hashlib.md5(contents[file.name], usedforsecurity=False).hexdigest()
        assert (digest, len(contents[file.name])) == (file.md5, file.size_bytes)
