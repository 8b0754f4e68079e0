"""The programs that take databases and buckets and give them back: PostgreSQL's, and rclone."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bukva.errors import BackupError
from bukva.stack.programs import common_environment, find_postgresql, find_rclone

_REMOTE: Final = "bucket"


def dump_database(environment: Mapping[str, str], database: str, file: Path) -> None:
    """Write a database to a file, as it is at one moment.

    Args:
        environment: PGHOST, PGPORT, PGUSER, PGPASSWORD.
        database: Its name.
        file: In PostgreSQL's own format.

    Raises:
        BackupError: If that fails.
    """
    _run([find_postgresql("pg_dump"), "--format=custom", "-f", str(file), database], environment)


def load_database(environment: Mapping[str, str], database: str, file: Path, owner: str) -> None:
    """Put a database in the place of the one that is there, whoever is connected to it.

    Raises:
        BackupError: If that fails.
    """
    psql = [find_postgresql("psql"), "--no-psqlrc", "-q", "-v", "ON_ERROR_STOP=1", "-d", "postgres"]
    drop = f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)'
    _run([*psql, "-c", drop, "-c", f'CREATE DATABASE "{database}" OWNER "{owner}"'], environment)
    restore = [find_postgresql("pg_restore"), "--exit-on-error", "--single-transaction"]
    restore += ["--no-owner", f"--role={owner}", "-d", database, str(file)]
    _run(restore, environment)


def count_rows(environment: Mapping[str, str], database: str, tables: tuple[str, ...]) -> int:
    """Return how many rows tables have together; a database or table that is not there has none.

    Raises:
        BackupError: If PostgreSQL does not answer.
    """
    psql = [find_postgresql("psql"), "--no-psqlrc", "-tA", "-v", "ON_ERROR_STOP=1"]
    known = _run([*psql, "-d", "postgres", "-c", "select datname from pg_database"], environment)
    if database not in known.split():
        return 0
    listed = _run([*psql, "-d", database, "-c", "select tablename from pg_tables"], environment)
    there = [table for table in tables if table in listed.split()]
    counts = [f'(select count(*) from "{table}")' for table in there]  # noqa: S608 - our own names
    if not counts:
        return 0
    return int(_run([*psql, "-d", database, "-c", f"select {'+'.join(counts)}"], environment))


def copy_from_bucket(keys: Mapping[str, str], bucket: str, folder: Path) -> None:
    """Copy all objects of a bucket into a folder; what arrives is compared with what was sent.

    Args:
        keys: AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY.
        bucket: Its name.
        folder: May be there already.

    Raises:
        BackupError: If that fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _run_rclone(keys, "copy", f"{_REMOTE}:{bucket}", str(folder))


def copy_to_bucket(keys: Mapping[str, str], bucket: str, folder: Path) -> None:
    """Make a bucket hold the files of a folder and nothing else, and compare all of them.

    Raises:
        BackupError: If that fails.
    """
    _run_rclone(keys, "mkdir", f"{_REMOTE}:{bucket}")
    _run_rclone(keys, "sync", str(folder), f"{_REMOTE}:{bucket}")
    _run_rclone(keys, "check", str(folder), f"{_REMOTE}:{bucket}")


def has_objects(keys: Mapping[str, str], bucket: str) -> bool:
    """Whether a bucket holds anything; one that is not there holds nothing.

    Raises:
        BackupError: If S3 does not answer.
    """
    listed = _run_rclone(keys, "lsf", f"{_REMOTE}:").split()
    return f"{bucket}/" in listed and bool(_run_rclone(keys, "lsf", f"{_REMOTE}:{bucket}").strip())


def _run_rclone(keys: Mapping[str, str], *arguments: str) -> str:
    remote = {
        "TYPE": "s3", "PROVIDER": "Other", "ENV_AUTH": "true", "FORCE_PATH_STYLE": "true",
        "ENDPOINT": keys["AWS_ENDPOINT_URL"], "REGION": keys["AWS_DEFAULT_REGION"],
    }  # fmt: skip
    named = {f"RCLONE_CONFIG_{_REMOTE.upper()}_{name}": value for name, value in remote.items()}
    command = [find_rclone(), *arguments, "--config", os.devnull, "--retries", "3"]
    return _run(command, {**keys, **named})


def _run(command: list[str], environment: Mapping[str, str]) -> str:
    done = subprocess.run(  # noqa: S603 - our own commands
        command, env=common_environment() | dict(environment), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    if done.returncode:
        name = Path(command[0]).name
        raise BackupError(f"{name} failed: {done.stderr.strip()[-600:]}")
    return done.stdout
