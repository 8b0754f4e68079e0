"""Files through fsspec: local paths and `file://`, `s3://` or `https://` addresses alike."""

import hashlib
from pathlib import Path
from typing import Any

import fsspec
import yaml
from fsspec.core import url_to_fs

from bukva.data.manifest import CorpusEntry, CorpusFile, parse_manifest
from bukva.errors import ChecksumError, ParameterError

CHUNK_BYTES = 4 * 1024 * 1024
_CHECK_TIMEOUT_S = 10.0


def check_storage(root: str) -> None:
    """Return if data can lie at an address: a bucket must be there, a folder need not.

    Args:
        root: `storage.root` of an environment, a path or an `s3://` address.

    Raises:
        StorageError: If the store does not answer within 10 s, refuses, or has no such bucket.
    """
    if root.startswith("s3://"):
        fs, path = url_to_fs(root, call_timeout_s=_CHECK_TIMEOUT_S)
        fs.check_bucket(path)


def locate_storage(root: str, project: Path) -> str:
    """Return `storage.root` of an environment as an address, or as a path from the root folder."""
    return root if "://" in root else str(project / root)


def load_manifest(uri: str) -> dict[str, CorpusEntry]:
    """Read and parse the corpora manifest.

    Raises:
        ParameterError: If it is not there, is not YAML, or does not validate.
    """
    try:
        with fsspec.open(uri, "rt", encoding="utf-8") as file:
            content = yaml.safe_load(file)
    except FileNotFoundError:
        message = f"Expected the corpora manifest at {uri}, found none: run from the project's root"
        raise ParameterError(f"{message}, or name it with --manifest.") from None
    except yaml.YAMLError as error:
        raise ParameterError(f"Expected YAML in the corpora manifest {uri}, got: {error}") from None
    return parse_manifest(content)


def join(folder: str, path: str) -> str:
    """Return the address of a file under a folder or URI."""
    return f"{folder.rstrip('/')}/{path}"


def sha256_of(fs: Any, path: str) -> str:
    """Return the sha256 of a file, in hexadecimal, reading it in chunks."""
    digest = hashlib.sha256()
    with fs.open(path, "rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def check_sha256(actual: str, expected: CorpusFile, where: str, advice: str) -> None:
    """Compare a checksum with the manifest's.

    Raises:
        ChecksumError: If they differ; the message names both, the file and what to do.
    """
    if actual != expected.sha256:
        message = f"Expected sha256 {expected.sha256} of {expected.path}, got {actual} from {where}"
        raise ChecksumError(f"{message}. {advice}")


def missing_files(entry: CorpusEntry, folder: str, **storage_options: Any) -> list[CorpusFile]:
    """Return the files of a corpus that are not under a folder or URI."""
    fs, root = url_to_fs(folder, **storage_options)
    return [file for file in entry.files if not fs.exists(join(root, file.path))]


def read_files(entry: CorpusEntry, folder: str, **storage_options: Any) -> dict[str, bytes]:
    """Return the contents of a corpus's files by name, verified.

    Raises:
        ChecksumError: If a file is not the one that the manifest names.
    """
    fs, root = url_to_fs(folder, **storage_options)
    contents: dict[str, bytes] = {}
    for file in entry.files:
        path = join(root, file.path)
        with fs.open(path, "rb") as opened:
            contents[file.name] = opened.read()
        actual = hashlib.sha256(contents[file.name]).hexdigest()
        check_sha256(actual, file, path, "Fetch it again: make corpora.")
    return contents
