"""`bukva stack`: all servers on this machine; backup and restore, for compose too."""

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bukva.errors import StackError

if TYPE_CHECKING:
    from bukva.stack.backup import Stores
    from bukva.stack.layout import Layout

_FOLDER = click.option(
    "--folder", default="data/stack", show_default=True, help="Where the stack keeps everything.",
    type=click.Path(path_type=Path, file_okay=False, resolve_path=True),
)  # fmt: skip
_PLACE = click.Path(path_type=Path, file_okay=False, resolve_path=True)


@click.group()
def stack() -> None:
    """Run PostgreSQL, S3, MLflow, the service and nginx on this machine; back up, restore."""


@stack.command()
@_FOLDER
@click.option("--port", default=8080, show_default=True, help="nginx's; the others follow.")
@click.option("--no-model", is_flag=True, help="Put no released model into production.")
@click.option("--detach", is_flag=True, help="Leave the servers running and end.")
def up(folder: Path, port: int, no_model: bool, detach: bool) -> None:
    """Start all servers, show what they write, and end them with Ctrl+C."""
    from bukva.stack.layout import make_layout
    from bukva.stack.running import follow, start
    from bukva.stack.supervisor import Supervisor

    layout = make_layout(folder, port)
    process = start(layout, with_model=not no_model, tell=click.echo)
    click.echo(describe(layout))
    if detach:
        return
    try:
        follow(layout, process, click.echo)
    finally:
        click.echo("ending all servers")
        Supervisor(layout).shut_down()
        process.wait()


@stack.command()
@_FOLDER
def down(folder: Path) -> None:
    """End all servers."""
    from bukva.stack.supervisor import Supervisor

    supervisor = Supervisor(_open(folder))
    if not supervisor.is_up():
        click.echo("Nothing runs.")
        return
    supervisor.shut_down()
    click.echo("All servers have ended.")


@stack.command()
@_FOLDER
def status(folder: Path) -> None:
    """Show which servers run, and which of them answer. Exits with 1 if one does not."""
    from bukva.stack.probes import probes
    from bukva.stack.supervisor import Supervisor

    layout = _open(folder)
    states = Supervisor(layout).states() if Supervisor(layout).is_up() else {}
    asked = {name: probe() for name, probe in probes(layout).items() if name in states}
    for name, answers in asked.items():
        click.echo(f"{name:<12}{'answers' if answers else 'is silent':<11}{states[name]}")
    if not (asked and all(asked.values())):
        raise click.exceptions.Exit(1)


@stack.command()
@_FOLDER
def env(folder: Path) -> None:
    """Print what a shell needs so that `kedro run --env=prod` works against the stack."""
    for name, value in _open(folder).training().items():
        click.echo(f"export {name}={shlex.quote(value)}")


@stack.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def passwords(file: Path) -> None:
    """Write FILE: .env.example with new passwords. One that is there stays as it is."""
    from bukva.stack.variables import TEMPLATE, write_variables

    is_there = file.exists()
    write_variables(Path(TEMPLATE), file)
    click.echo(f"{file} is there already." if is_there else f"Wrote {file}. Keep a copy apart.")


@stack.command()
@_FOLDER
@click.option("--to", "target", type=_PLACE, required=True, help="New folder of the backup.")
def backup(folder: Path, target: Path) -> None:
    """Write databases and bucket into a new folder."""
    from bukva.stack.backup import back_up

    manifest = back_up(_open_stores(folder), target)
    click.echo(f"Backed up {_count(manifest)} to {target}.")


@stack.command("restore")
@_FOLDER
@click.option("--from", "source", type=_PLACE, required=True, help="Folder of the backup.")
@click.option("--replace", is_flag=True, help="Whatever is there now: it is lost.")
def restore_command(folder: Path, source: Path, replace: bool) -> None:
    """Put databases and bucket back. Whatever writes to them stands still meanwhile."""
    from bukva.stack.backup import check_restore, restore

    stores = _open_stores(folder)
    manifest = check_restore(stores, source, replace=replace)
    with _standing_still(folder):
        restore(stores, source)
    click.echo(f"Restored {_count(manifest)}, backed up at {manifest['made_at']}.")


@stack.command("make-bucket")
def make_bucket_command() -> None:
    """Make the bucket that S3_BUCKET names (compose does this once)."""
    from bukva.stack.accounts import make_bucket

    bucket = _variable("S3_BUCKET")
    is_new = make_bucket(_owner_keys(), bucket)
    click.echo(f"The bucket {bucket} {'was made' if is_new else 'is there'}.")


@stack.command("make-users")
def make_users_command() -> None:
    """Make the accounts of MLflow (compose does this once)."""
    from bukva.stack.accounts import make_user

    admin = {
        "MLFLOW_TRACKING_URI": _variable("MLFLOW_TRACKING_URI"),
        "MLFLOW_TRACKING_USERNAME": "admin",
        "MLFLOW_TRACKING_PASSWORD": _variable("MLFLOW_ADMIN_PASSWORD"),
    }
    for name in ("trainer", "service"):
        make_user(admin, name, _variable(f"MLFLOW_{name.upper()}_PASSWORD"))
        click.echo(f"The account {name} is there.")


@contextmanager
def _standing_still(folder: Path) -> Iterator[None]:
    """Service and MLflow of this machine's stack are stopped; `make restore` stops compose's."""
    if _is_in_compose():
        yield
        return
    from bukva.stack.running import start_server
    from bukva.stack.supervisor import Supervisor

    layout = _open(folder)
    for name in ("api", "mlflow"):
        Supervisor(layout).stop(name)
    try:
        yield
    finally:
        for name in ("mlflow", "api"):
            start_server(layout, name)


def describe(layout: "Layout") -> str:
    """Say where everything is, and what to do next."""
    from bukva.stack.programs import has_nginx

    front = layout.url("nginx") if has_nginx() else layout.url("api")
    notice = "" if has_nginx() else "   (nginx is not installed: the service answers by itself)"
    folder = shlex.quote(str(layout.folder))
    return "\n".join([
        "",
        f"page and API  {front}{notice}",
        f"MLflow        {layout.url('mlflow')}   accounts admin, trainer, service",
        f"S3            {layout.url('s3')}   bucket {layout.bucket}",
        f"PostgreSQL    127.0.0.1:{layout.port('postgresql')}",
        f"passwords     {layout.folder / 'stack.env'}",
        f"logs          {layout.logs}",
        "",
        "To train against it, in another terminal:",
        f'  eval "$(python -m bukva stack env --folder={folder})"',
        "  kedro run --env=prod",
        "",
    ])  # fmt: skip


def _open(folder: Path) -> "Layout":
    from bukva.stack.layout import open_layout

    return open_layout(folder)


def _open_stores(folder: Path) -> "Stores":
    """The stack of a folder; in compose, where there is none, what the environment says."""
    from bukva.stack.backup import Stores

    if _is_in_compose():
        names = ("PGHOST", "PGPORT", "PGUSER", "PGPASSWORD")
        database = {name: _variable(name) for name in names}
        return Stores(database, _owner_keys(), _variable("S3_BUCKET"))
    layout = _open(folder)
    return Stores(layout.superuser(), layout.keys_of("owner"), layout.bucket)


def _is_in_compose() -> bool:
    return "PGHOST" in os.environ and "S3_OWNER_SECRET" in os.environ


def _owner_keys() -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": _variable("AWS_ENDPOINT_URL"),
        "AWS_ACCESS_KEY_ID": "bukva-owner",
        "AWS_SECRET_ACCESS_KEY": _variable("S3_OWNER_SECRET"),
        "AWS_DEFAULT_REGION": "us-east-1",
    }


def _variable(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise StackError(f"Expected {name} in the environment, found none: see .env.example.")
    return value


def _count(manifest: dict[str, Any]) -> str:
    files = manifest["files"].values()
    total_mb = sum(item["bytes"] for item in files) / 1e6
    return f"{len(manifest['databases'])} databases and {len(files)} files, {total_mb:.1f} MB"
