"""Backup of databases and bucket into a folder, and back.

The databases are dumped first and the bucket is copied after that: the registry never changes an
object that it names, so that each object which a dump names is in the copy. On the way back the
bucket comes first, for the same reason.

Where they are, and who asks, `stores` tells the programs: `deploy/stack/operations.env`.
"""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bukva.cli.stack_processes.tools import run_tool
from bukva.errors import BackupError, StackError

MANIFEST: Final = "SHA256SUMS"
"""The checksum of each file of a backup, as sha256sum writes and checks it."""

_DATABASES: Final = ("mlflow", "mlflow_auth", "optuna")
_OWNER: Final = "mlflow"
_NO_CONFIG: Final = {"RCLONE_CONFIG": os.devnull, "RCLONE_LOG_LEVEL": "ERROR"}
_PSQL: Final = ("psql", "--no-psqlrc", "-qtA", "-v", "ON_ERROR_STOP=1")
# Rows in these are somebody's work; MLflow fills other tables by itself when it starts.
_COUNT: Final = r"""
select format('select count(*) from %I', tablename) from pg_tables
where tablename in ('runs', 'registered_models', 'logged_models', 'studies') \gexec
"""


def back_up(stores: Mapping[str, str], target: Path) -> int:
    """Write a backup into a new folder, and return how many files it has; all of it, or nothing.

    The folder takes its name when all is in it and on the disk: a half backup never has it.
    """
    if target.exists():
        raise BackupError(f"Expected no {target}: a backup replaces nothing. Name another folder.")
    draft = target.with_name(f".{target.name}.partial")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        draft.mkdir(mode=0o700, parents=True)  # people's drawings, and hashes of passwords
        (draft / "database").mkdir()
        for name in _DATABASES:
            run_tool(["pg_dump", "--format=custom", "-f", _dump(draft, name), name], stores)
        run_tool(["rclone", "copy", f"s3:{stores['S3_BUCKET']}", f"{draft}/bucket"], stores)
        count = write_manifest(draft)
        os.sync()
        draft.rename(target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return count


def write_manifest(folder: Path) -> int:
    """Write down the checksum of each file of a folder; return how many there are."""
    sums = run_tool(["rclone", "hashsum", "sha256", str(folder)], _NO_CONFIG)
    (folder / MANIFEST).write_text(sums, encoding="utf-8")
    return len(sums.splitlines())


def check_backup(source: Path) -> None:
    """Return if a folder is the whole backup that was made; a `BackupError` if it is not."""
    manifest = source / MANIFEST
    if not (manifest.is_file() and manifest.stat().st_size):
        raise BackupError(f"Expected a backup in {source}, found no {MANIFEST} of one.")
    check = ["rclone", "checksum", "sha256", str(manifest), str(source), f"--exclude=/{MANIFEST}"]
    try:
        run_tool(check, _NO_CONFIG)
    except StackError as error:
        message = f"The backup in {source} is not the one that was made: {error}."
        raise BackupError(f"{message} Take another backup.") from error


def check_empty(stores: Mapping[str, str]) -> None:
    """Return if a restore into these stores would lose nothing; a `BackupError` if it would."""
    counted = {name: run_tool([*_PSQL, name], stores, stdin=_COUNT) for name in _DATABASES}
    rows = {name: sum(map(int, text.split())) for name, text in counted.items()}
    taken = [f"the database {name} ({count} rows)" for name, count in rows.items() if count]
    bucket = stores["S3_BUCKET"]
    is_there = f"{bucket}/" in run_tool(["rclone", "lsf", "s3:"], stores).split()
    if is_there and run_tool(["rclone", "lsf", f"s3:{bucket}"], stores):
        taken.append(f"the bucket {bucket}")
    if taken:
        message = f"Expected nothing where the backup goes, found {' and '.join(taken)}."
        raise BackupError(f"{message} REPLACE=yes (--replace) puts the backup in its place.")


def put_back(stores: Mapping[str, str], source: Path) -> None:
    """Put a checked backup in the place of whatever is there; after a failure, begin anew.

    Nobody else may write meanwhile.
    """
    (source / "bucket").mkdir(exist_ok=True)  # of an empty bucket nothing may have been copied
    bucket = f"s3:{stores['S3_BUCKET']}"
    run_tool(["rclone", "mkdir", bucket], stores)
    for how in ("sync", "check"):
        run_tool(["rclone", how, f"{source}/bucket", bucket], stores)
    restore = ["pg_restore", "--exit-on-error", "--single-transaction", "--no-owner"]
    for name in _DATABASES:
        drop = f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'
        make = f'CREATE DATABASE "{name}" OWNER "{_OWNER}"'
        run_tool([*_PSQL, "-c", drop, "-c", make, "postgres"], stores)
        run_tool([*restore, f"--role={_OWNER}", "-d", name, _dump(source, name)], stores)


def _dump(folder: Path, database: str) -> str:
    return str(folder / "database" / f"{database}.dump")
