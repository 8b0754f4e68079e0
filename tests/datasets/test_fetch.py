import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml
from mirror_server import BIG_BYTES, MirrorServer, serve, toy_entry

from bukva.core.corpora.manifest import CorpusEntry
from bukva.datasets import fetch
from bukva.datasets.fetch import CHUNK_BYTES, fetch_corpora
from bukva.errors import BucketMissingError, ChecksumError, CorpusMissingError

ALL = ["toy/big.bin", "toy/small.bin"]


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "PAUSES_S", (0.0, 0.0, 0.0, 0.0))


@pytest.fixture(autouse=True)
def staging(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where files wait that are on their way into a bucket."""
    folder = tmp_path_factory.mktemp("staging")
    monkeypatch.setattr(fetch, "STAGING", folder)
    return folder


@pytest.fixture
def https_mirror(mirror: Path, tmp_path: Path) -> Iterator[tuple[MirrorServer, Path]]:
    """The mirror over TLS, and the certificate of the authority that vouches for it."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server = MirrorServer(mirror)
    server.scheme = "https"
    server.socket = context.wrap_socket(server.socket, server_side=True)
    for running in serve(server):
        yield running, tmp_path / "ca.pem"


def fetch_toy(toy: CorpusEntry, destination: Path | str, source: Path | str | None) -> list[str]:
    address = None if source is None else str(source)
    return fetch_corpora({"toy": toy}, str(destination), address, show_progress=False)


def files_under(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


@pytest.mark.parametrize("form", ["folder", "file", "http", "s3"])
def test_every_kind_of_mirror_gives_the_same_files(
    form: str, mirror: Path, toy: CorpusEntry, http_mirror: MirrorServer, s3: Any, tmp_path: Path
) -> None:
    s3.put(str(mirror / "toy"), "bukva/mirror/toy", recursive=True)
    sources = {
        "folder": mirror,
        "file": mirror.as_uri(),
        "http": http_mirror.url,
        "s3": "s3://bukva/mirror",
    }
    assert fetch_toy(toy, tmp_path / "raw", sources[form]) == ALL
    assert files_under(tmp_path / "raw") == files_under(mirror)


def test_files_that_are_there_and_right_are_not_fetched(
    mirror: Path, toy: CorpusEntry, tmp_path: Path
) -> None:
    fetch_toy(toy, tmp_path, mirror)
    (tmp_path / "toy" / "small.bin").write_bytes(b"A few bytes")  # as long, but another
    assert fetch_toy(toy, tmp_path, mirror) == ["toy/small.bin"]
    assert fetch_toy(toy, tmp_path, tmp_path / "no such mirror") == []


def test_a_wrong_checksum_names_both_sums_and_leaves_nothing(
    mirror: Path, toy: CorpusEntry, tmp_path: Path
) -> None:
    bad = tmp_path / "bad"
    (bad / "toy").mkdir(parents=True)
    content = (mirror / "toy" / "big.bin").read_bytes()
    (bad / "toy" / "big.bin").write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(ChecksumError) as caught:
        fetch_toy(toy, tmp_path / "raw", bad)
    message = str(caught.value)
    assert toy.files[0].sha256 in message
    assert "toy/big.bin" in message
    assert str(bad) in message
    assert files_under(tmp_path / "raw") == {}


def test_a_file_that_never_ends_is_refused_early(
    toy: CorpusEntry, http_mirror: MirrorServer, tmp_path: Path
) -> None:
    http_mirror.endless_bytes = 3 * BIG_BYTES
    with pytest.raises(ChecksumError):
        fetch_toy(toy, tmp_path, http_mirror.url)
    assert http_mirror.sent_bytes == BIG_BYTES + 1
    assert files_under(tmp_path) == {}


def test_a_file_that_the_source_lacks_is_named(
    toy: CorpusEntry, http_mirror: MirrorServer, s3: Any, tmp_path: Path
) -> None:
    for source in (str(tmp_path / "empty"), f"{http_mirror.url}/empty", "s3://bukva/empty"):
        with pytest.raises(CorpusMissingError, match=r"empty/toy/big\.bin: the source does not"):
            fetch_toy(toy, tmp_path / "raw", source)


def test_a_server_that_does_not_answer_is_another_error(toy: CorpusEntry, tmp_path: Path) -> None:
    server = MirrorServer(tmp_path)
    server.server_close()
    with pytest.raises(CorpusMissingError, match=r"in 4 attempts \(.*Cannot connect"):
        fetch_toy(toy, tmp_path / "raw", server.url)


def test_files_without_official_address_are_all_named(toy: CorpusEntry, tmp_path: Path) -> None:
    with pytest.raises(CorpusMissingError) as caught:
        fetch_toy(toy, tmp_path, None)
    message = str(caught.value)
    for expected in ("toy/big.bin", "toy/small.bin", "made up for the tests", "make corpora FROM="):
        assert expected in message


def test_a_part_is_continued_where_it_ends(
    mirror: Path, toy: CorpusEntry, http_mirror: MirrorServer, tmp_path: Path
) -> None:
    begun = (mirror / "toy" / "big.bin").read_bytes()[:5_000_000]
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "big.bin.part").write_bytes(begun)
    fetch_toy(toy, tmp_path, http_mirror.url)
    assert http_mirror.ranges == [5_000_000, 0]  # the rest of big.bin, all of small.bin
    assert files_under(tmp_path) == files_under(mirror)


def test_a_part_of_another_file_is_begun_again(
    mirror: Path, toy: CorpusEntry, http_mirror: MirrorServer, tmp_path: Path
) -> None:
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "big.bin.part").write_bytes(bytes(5_000_000))
    fetch_toy(toy, tmp_path, http_mirror.url)
    assert files_under(tmp_path) == files_under(mirror)


def test_a_connection_that_breaks_is_resumed(
    mirror: Path, toy: CorpusEntry, http_mirror: MirrorServer, tmp_path: Path
) -> None:
    http_mirror.cuts = 2
    fetch_toy(toy, tmp_path, http_mirror.url)
    assert http_mirror.cuts == 0
    assert http_mirror.ranges.count(0) > 1
    assert files_under(tmp_path) == files_under(mirror)


def test_what_came_before_the_server_went_is_kept_for_the_next_run(
    mirror: Path, toy: CorpusEntry, http_mirror: MirrorServer, tmp_path: Path
) -> None:
    big = mirror / "toy" / "big.bin"
    (tmp_path / "half" / "toy").mkdir(parents=True)
    half = MirrorServer(tmp_path / "half")
    (tmp_path / "half" / "toy" / "big.bin").write_bytes(big.read_bytes())
    half.cuts_after_bytes = CHUNK_BYTES
    for server in serve(half):
        with pytest.raises(CorpusMissingError, match="in 4 attempts"):
            fetch_toy(toy, tmp_path / "raw", server.url)
    part = big.read_bytes()[:CHUNK_BYTES]
    assert files_under(tmp_path / "raw") == {"toy/big.bin.part": part}
    fetch_toy(toy, tmp_path / "raw", http_mirror.url)
    assert http_mirror.ranges[0] == CHUNK_BYTES
    assert files_under(tmp_path / "raw") == files_under(mirror)


def test_a_server_without_ranges_sends_the_whole_file(
    mirror: Path, toy: CorpusEntry, http_mirror: MirrorServer, tmp_path: Path
) -> None:
    http_mirror.has_ranges = False
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "big.bin.part").write_bytes(bytes(10))
    fetch_toy(toy, tmp_path, http_mirror.url)
    assert files_under(tmp_path) == files_under(mirror)


def test_the_official_address_is_fetched_over_https(
    mirror: Path, https_mirror: tuple[MirrorServer, Path], tmp_path: Path
) -> None:
    """In a process of its own: the authorities that are trusted are read when it starts."""
    server, authority = https_mirror
    entry = toy_entry(mirror, server.url).model_dump(mode="json")
    entry["files"][0] |= {"url": None, "note": "nowhere"}
    (tmp_path / "corpora.yml").write_text(yaml.safe_dump({"toy": entry}), encoding="utf-8")
    command = [sys.executable, "-m", "bukva", "corpora", "fetch", "--manifest=corpora.yml"]
    done = subprocess.run(
        [*command, "--to=raw"],
        cwd=tmp_path,
        env={**os.environ, "SSL_CERT_FILE": str(authority)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "toy/big.bin: nowhere" in done.stderr
    assert "Traceback" not in done.stderr
    assert files_under(tmp_path / "raw") == {"toy/small.bin": b"a few bytes"}


def test_a_server_with_an_unknown_certificate_is_refused(
    mirror: Path, https_mirror: tuple[MirrorServer, Path], tmp_path: Path
) -> None:
    server, _ = https_mirror
    with pytest.raises(CorpusMissingError, match="certificate verify failed"):
        fetch_toy(toy_entry(mirror, server.url), tmp_path / "raw", None)
    assert server.sent_bytes == 0


def test_a_bucket_as_destination_holds_only_verified_files(
    mirror: Path, toy: CorpusEntry, s3: Any, tmp_path: Path
) -> None:
    bad = tmp_path / "toy"
    bad.mkdir()
    (bad / "big.bin").write_bytes(b"another file")
    with pytest.raises(ChecksumError):
        fetch_toy(toy, "s3://bukva/01_raw", tmp_path)
    assert s3.find("bukva/01_raw") == []
    assert fetch_toy(toy, "s3://bukva/01_raw", mirror) == ALL
    assert s3.cat_file("bukva/01_raw/toy/big.bin") == (mirror / "toy" / "big.bin").read_bytes()
    assert fetch_toy(toy, "s3://bukva/01_raw", mirror) == []


def test_what_came_for_a_bucket_is_kept_for_the_next_run(
    mirror: Path, toy: CorpusEntry, http_mirror: MirrorServer, s3: Any, staging: Path
) -> None:
    half = MirrorServer(mirror)
    half.cuts_after_bytes = CHUNK_BYTES
    for server in serve(half):
        with pytest.raises(CorpusMissingError, match="What came is kept"):
            fetch_toy(toy, "s3://bukva/kept", server.url)
    assert s3.find("bukva/kept") == []
    assert [path.stat().st_size for path in staging.iterdir()] == [CHUNK_BYTES]
    assert fetch_toy(toy, "s3://bukva/kept", http_mirror.url) == ALL
    assert http_mirror.ranges[0] == CHUNK_BYTES
    assert s3.cat_file("bukva/kept/toy/big.bin") == (mirror / "toy" / "big.bin").read_bytes()
    assert files_under(staging) == {}


def test_from_one_bucket_into_another(mirror: Path, toy: CorpusEntry, s3: Any) -> None:
    s3.put(str(mirror / "toy"), "bukva/from/toy", recursive=True)
    assert fetch_toy(toy, "s3://bukva/to", "s3://bukva/from") == ALL
    assert s3.cat_file("bukva/to/toy/small.bin") == b"a few bytes"


def test_a_bucket_that_is_not_there_is_said_at_once(
    mirror: Path, toy: CorpusEntry, s3: Any
) -> None:
    for source, destination in ((mirror, "s3://bukwa/raw"), ("s3://bukwa/raw", "s3://bukva/none")):
        with pytest.raises(BucketMissingError, match="bukwa"):
            fetch_toy(toy, destination, source)
    assert "bukwa" not in s3.ls("")
