"""Where the files of models lie now: MLflow writes down absolute addresses, and projects move."""

from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

_LOCAL_SCHEMES: Final = ("", "file")


def locate_files(recorded: str, tracking_uri: str) -> str:
    """Return where files that were recorded at an address lie, for a project that was moved.

    With an SQLite file as its registry, the folder of that file goes where the project goes: what
    lies below it, as it lay below the folder of before, is the project's own. A copy of a project
    thus reads its own files and not those of the original.

    Args:
        recorded: An address as MLflow knows it: a path, `file://`, `s3://`, ...
        tracking_uri: Of the registry that it is recorded in.

    Returns:
        The address itself where nothing speaks for another.
    """
    path, database = local_path(recorded), sqlite_path(tracking_uri)
    if path is None or database is None or path.is_relative_to(database.parent):
        return recorded
    # The longest ending first: the fewer folders have changed, the surer it is the same.
    for start in range(1, len(path.parts)):
        own = database.parent.joinpath(*path.parts[start:])
        if own.exists():
            return str(own)
    return recorded


def local_path(address: str) -> Path | None:
    """Return the path that an address of local files means, None for any other address."""
    parts = urlsplit(address)
    if parts.scheme not in _LOCAL_SCHEMES:
        return None
    return Path(unquote(parts.path) if parts.scheme else address)


def sqlite_path(tracking_uri: str) -> Path | None:
    """Return the file of an SQLite registry, None for a registry of another kind."""
    scheme, _, path = tracking_uri.partition(":///")
    if scheme.split("+")[0] != "sqlite" or path == ":memory:":
        return None
    return Path(path.partition("?")[0]).absolute()
