"""What is written before a server starts: PostgreSQL's files and databases; nginx's settings."""

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

from bukva.errors import StackError
from bukva.stack.layout import HOST, Layout
from bukva.stack.programs import common_environment, find_postgresql, postgresql_user

_DEPLOY: Final = Path("deploy")
_LOCALE: Final = ("--encoding=UTF8", "--locale=C.UTF-8")
_TEMPORARY: Final = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
_NGINX_HEAD: Final = """\
worker_processes 1;
pid nginx.pid;
events { worker_connections 512; }
http {
access_log /dev/stdout;
"""


def init_database(layout: Layout) -> None:
    """Make PostgreSQL's files, where there are none.

    Raises:
        StackError: If they cannot be made.
    """
    folder = layout.database
    if (folder / "PG_VERSION").is_file():
        return
    user = postgresql_user()
    _give_folder(folder, user)
    command = [find_postgresql("initdb"), "-D", str(folder), "-U", "postgres", *_LOCALE]
    command += ["--auth=scram-sha-256", "--no-instructions"]
    with _password_file(layout, user) as file:
        done = subprocess.run(  # noqa: S603 - our own command
            [*command, f"--pwfile={file}"], user=user, group=user,
            extra_groups=[] if user else None, env=common_environment(),
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    if done.returncode:
        said = done.stderr.strip()[-600:]
        hint = f" {user} has to reach that folder: name another one." if user else ""
        raise StackError(f"PostgreSQL made no files in {folder}: {said}.{hint}")


def make_databases(layout: Layout) -> None:
    """Make role and databases, where there are none.

    Raises:
        StackError: If they cannot be made.
    """
    environment = layout.superuser() | {
        "MLFLOW_DATABASE_PASSWORD": layout.variables["MLFLOW_DATABASE_PASSWORD"]
    }
    query = "select 1 from pg_database where datname = 'optuna'"
    if run_sql(environment, "-tAc", query).strip():
        return
    run_sql(environment, "-f", str(_DEPLOY / "postgresql" / "databases.sql"))


def run_sql(environment: Mapping[str, str], *arguments: str, database: str = "postgres") -> str:
    """Return what psql prints.

    Raises:
        StackError: If it fails.
    """
    command = [find_postgresql("psql"), "--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-q"]
    done = subprocess.run(  # noqa: S603 - our own command
        [*command, "-d", database, *arguments],
        env=common_environment() | dict(environment), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise StackError(f"PostgreSQL refuses: {done.stderr.strip()[-600:]}")
    return done.stdout


def write_nginx(layout: Layout) -> None:
    """Write nginx's configuration from the templates that compose uses, too."""
    folder = layout.folder / "nginx"
    folder.mkdir(parents=True, exist_ok=True)
    given = {
        "STACK_SERVERS": f"server {HOST}:{layout.port('api')};",
        "STACK_LISTEN": f"{HOST}:{layout.port('nginx')}",
        "STACK_NAME": layout.variables["STACK_NAME"],
    }
    templates = [_DEPLOY / "nginx" / f"{name}.conf.template" for name in ("zones", "plain")]
    places = [f"{name}_temp_path {name};\n" for name in _TEMPORARY]
    texts = [fill_template(path.read_text(encoding="utf-8"), given) for path in templates]
    (folder / "nginx.conf").write_text(_NGINX_HEAD + "".join(places) + "".join(texts) + "}\n")
    shutil.copy(_DEPLOY / "nginx" / "proxy.conf", folder / "bukva_proxy.conf")


def fill_template(text: str, given: Mapping[str, str]) -> str:
    """Put values in place of `${STACK_...}`, as envsubst does; nginx's own variables stay."""
    return re.sub(r"\$\{(STACK_[A-Z]+)\}", lambda found: given[found[1]], text)


@contextmanager
def _password_file(layout: Layout, user: str | None) -> Iterator[str]:
    """A file with the superuser's password that its reader alone can read, for a moment."""
    with NamedTemporaryFile("w", dir=layout.folder) as file:
        file.write(layout.variables["POSTGRES_PASSWORD"])
        file.flush()
        if user:
            shutil.chown(file.name, user, user)
        yield file.name


def _give_folder(folder: Path, user: str | None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    if user:
        shutil.chown(folder, user, user)
