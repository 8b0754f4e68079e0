"""Fetching the files of corpora: resumable, verified, and never half there.

A file is downloaded into a `.part` file, continued where an earlier try stopped, compared with
the manifest's checksum, and only then moved to its name. With a bucket as destination the `.part`
waits in the user's cache until it is whole and uploaded.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from tqdm import tqdm

from bukva.core.corpora.manifest import CorpusEntry, CorpusFile
from bukva.datasets.corpora import check_sha256
from bukva.datasets.storage import Files, flush_to_disk, join
from bukva.errors import CorpusMissingError, StorageError

PAUSES_S: Final = (0.0, 0.5, 1.0, 2.0)
"""Before the first attempt, and before each of the three that may follow."""

STAGING: Final = Path("~/.cache/bukva/corpora")
"""Where what is on its way to a bucket is put together; of each file only what is not there yet."""

CHUNK_BYTES: Final = 4 * 1024 * 1024


def fetch_corpora(
    entries: Mapping[str, CorpusEntry],
    destination: str,
    source: str | None = None,
    *,
    show_progress: bool = True,
) -> list[str]:
    """Fetch every file that is not yet at the destination, verified.

    Args:
        entries: The corpora to fetch, by name.
        destination: Folder or URI that takes the files, such as `data/01_raw` or `s3://b/01_raw`.
        source: Folder or URI with the same relative paths; None takes the official addresses.
        show_progress: Whether each download has a progress bar on stderr.

    Returns:
        The paths of the files that were fetched, without those that were there and right.

    Raises:
        ChecksumError: If a fetched file is not the one the manifest names; it is removed.
        CorpusMissingError: If the source does not have a file or does not answer, or if a file has
            no official address; of the latter all are named, after the others were fetched.
        StorageError: If a bucket cannot be used; what came is kept, the next try goes on from it.
    """
    fetched, homeless = [], []
    for file in (file for entry in entries.values() for file in entry.files):
        target = Files(join(destination, file.path))
        if is_verified(target, file):
            continue
        address = file.url if source is None else join(source, file.path)
        if address is None:
            homeless.append(file)
            continue
        _fetch_file(address, target, file, show_progress=show_progress)
        fetched.append(file.path)
    _refuse_homeless(homeless)
    return fetched


def is_verified(found: Files, file: CorpusFile) -> bool:
    """Return whether a file is there, with the size and the checksum of the manifest."""
    if not found.exists() or found.fs.size(found.path) != file.size_bytes:
        return False
    return found.sha256() == file.sha256


def _refuse_homeless(files: list[CorpusFile]) -> None:
    if files:
        listing = "\n".join(f"  {file.path}: {file.note}" for file in files)
        raise CorpusMissingError(
            f"These files have no official address in this form:\n{listing}\n"
            "Take them from a mirror: make corpora FROM=<folder or URI>."
        )


def _fetch_file(address: str, target: Files, file: CorpusFile, *, show_progress: bool) -> None:
    with _staged(target, file) as part:
        resumed = part.exists()
        _download(address, part, file, show_progress=show_progress)
        if resumed and Files(str(part)).sha256() != file.sha256:
            # The earlier try may have left the beginning of another file: not the source's fault.
            part.unlink()
            _download(address, part, file, show_progress=show_progress)
        try:
            advice = "It was removed; the source holds another file than the manifest names."
            check_sha256(Files(str(part)).sha256(), file, address, advice)
        except BaseException:
            part.unlink()
            raise


@contextmanager
def _staged(target: Files, file: CorpusFile) -> Iterator[Path]:
    """Give the path of a local `.part` file, and publish it when the block ends well."""
    if target.is_local:
        part = Path(f"{target.path}.part")
        part.parent.mkdir(parents=True, exist_ok=True)
        yield part
        flush_to_disk(part)
        part.replace(target.path)
        return
    # By its checksum: whichever bucket it is for, it is the same file.
    part = STAGING.expanduser() / f"{file.sha256}.part"
    part.parent.mkdir(parents=True, exist_ok=True)
    yield part
    target.upload(part)
    part.unlink()


def _download(address: str, part: Path, file: CorpusFile, *, show_progress: bool) -> None:
    """Append to `part` what it lacks, trying again after errors of the network."""
    with tqdm(
        total=file.size_bytes, desc=file.path, unit="B", unit_scale=True, disable=not show_progress
    ) as bar:
        for pause_s in PAUSES_S:
            time.sleep(pause_s)
            try:
                return _append_rest(address, part, file, bar)
            except StorageError:
                raise  # S3 was tried again and again, and the error says what to do
            # Every backend raises classes of its own (OSError, aiohttp's, botocore's), which have
            # no common base below Exception.
            except Exception as error:
                if _is_missing(error, address):
                    message = f"Expected {file.path} at {address}: the source does not have it."
                    raise CorpusMissingError(message) from None
                failure = error.__cause__ or error
    got = f"{type(failure).__name__}: {failure}"
    message = f"Could not fetch {file.path} from {address} in {len(PAUSES_S)} attempts ({got})."
    raise CorpusMissingError(f"{message} What came is kept: the next try goes on from there.")


def _is_missing(error: Exception, address: str) -> bool:
    """Return whether the source answered that it has no such file.

    fsspec says of any failure of HTTP that the file was not found; the cause tells what it was.
    """
    if not isinstance(error, FileNotFoundError):
        return False
    is_http = address.startswith(("http://", "https://"))
    return not (is_http and error.__cause__) or getattr(error.__cause__, "status", 0) in (404, 410)


def _append_rest(address: str, part: Path, file: CorpusFile, bar: Any) -> None:
    offset = part.stat().st_size if part.exists() else 0
    try:
        _copy(address, part, file, bar, offset, block_size=CHUNK_BYTES)
    except ValueError:
        # What fsspec says of a server without range reads: one stream, from the beginning.
        _copy(address, part, file, bar, 0, block_size=0)


def _copy(
    address: str, part: Path, file: CorpusFile, bar: Any, offset: int, *, block_size: int
) -> None:
    source = Files(address)
    # Without a cache each read is one range request, so nothing that arrived is lost.
    with (
        source.explained(),
        source.fs.open(source.path, "rb", block_size=block_size, cache_type="none") as remote,
        part.open("ab") as local,
    ):
        remote.seek(offset)
        local.truncate(offset)
        bar.n = offset
        # One byte more than expected tells a longer file, without reading an endless one.
        while chunk := remote.read(min(CHUNK_BYTES, file.size_bytes + 1 - local.tell())):
            local.write(chunk)
            bar.update(len(chunk))
