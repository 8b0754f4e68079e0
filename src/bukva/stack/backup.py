"""Backup of databases and bucket into a folder, and back.

The databases are dumped first and the bucket is copied after that: the registry never changes an
object that it names, so that each object which a dump names is in the copy. On the way back the
bucket comes first, for the same reason.
"""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bukva.errors import BackupError
from bukva.stack import tools
from bukva.stack.layout import DATABASES
from bukva.stack.manifest import read_manifest, write_manifest

_OWNER: Final = "mlflow"
# Rows in these are somebody's work; MLflow fills other tables by itself when it starts.
_WORK: Final = {
    "mlflow": ("runs", "registered_models", "logged_models"),
    "mlflow_auth": (),
    "optuna": ("studies",),
}


@dataclass(frozen=True)
class Stores:
    """How to reach what is backed up, as the programs that do it want it in their environment.

    Attributes:
        database: PGHOST, PGPORT, PGUSER, PGPASSWORD of PostgreSQL's superuser.
        keys: AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_DEFAULT_REGION.
        bucket: Its name.
    """

    database: Mapping[str, str]
    keys: Mapping[str, str]
    bucket: str


def back_up(stores: Stores, target: Path) -> dict[str, Any]:
    """Write a backup, and return its manifest.

    The folder takes its name when all is in it and on the disk: a half backup never has it.

    Raises:
        BackupError: If the folder is there already, or the backup fails; nothing is left then.
    """
    if target.exists():
        raise BackupError(f"Expected no {target}: a backup replaces nothing. Name another folder.")
    draft = target.with_name(f".{target.name}.partial")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        draft.mkdir(mode=0o700, parents=True)  # people's drawings, and hashes of passwords
        (draft / "database").mkdir()
        for name in DATABASES:
            tools.dump_database(stores.database, name, _dump(draft, name))
        tools.copy_from_bucket(stores.keys, stores.bucket, draft / "bucket")
        manifest = write_manifest(draft, databases=list(DATABASES), bucket=stores.bucket)
        os.sync()
        draft.rename(target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return manifest


def check_restore(stores: Stores, source: Path, *, replace: bool) -> dict[str, Any]:
    """Return the manifest of a backup that may be put back; nothing is changed yet.

    Args:
        stores: What it is to be put into.
        source: The folder of the backup.
        replace: Whether what is there may be lost.

    Raises:
        BackupError: If the backup is not whole, or something is there that may not be lost.
    """
    manifest = read_manifest(source)
    if not replace:
        _check_empty(stores)
    return manifest


def restore(stores: Stores, source: Path) -> None:
    """Put a checked backup in the place of whatever is there; nobody else may write meanwhile.

    Raises:
        BackupError: If it fails: do it again, it begins anew.
    """
    (source / "bucket").mkdir(exist_ok=True)  # of an empty bucket nothing may have been copied
    tools.copy_to_bucket(stores.keys, stores.bucket, source / "bucket")
    for name in DATABASES:
        tools.load_database(stores.database, name, _dump(source, name), _OWNER)


def _check_empty(stores: Stores) -> None:
    rows = {name: tools.count_rows(stores.database, name, _WORK[name]) for name in DATABASES}
    taken = [f"the database {name} ({count} rows)" for name, count in rows.items() if count]
    if tools.has_objects(stores.keys, stores.bucket):
        taken.append(f"the bucket {stores.bucket}")
    if taken:
        message = f"Expected nothing where the backup goes, found {' and '.join(taken)}."
        raise BackupError(f"{message} REPLACE=yes (--replace) puts the backup in its place.")


def _dump(folder: Path, database: str) -> Path:
    return folder / "database" / f"{database}.dump"
