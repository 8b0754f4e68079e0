"""`bukva stack`: all servers on this machine; backup and restore, for compose too."""

import os
import shlex
import signal
from contextlib import suppress
from pathlib import Path

import click

from bukva.errors import StackError

_PLACE = click.Path(path_type=Path, file_okay=False, resolve_path=True)
_FOLDER = click.option(
    "--folder", default="data/stack", show_default=True, help="Where the stack keeps everything.",
    type=_PLACE,
)  # fmt: skip


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
    from bukva.cli.stack_processes import processes

    made = processes.open_stack(folder, port)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl+C
    processes.start(made, with_model=not no_model, tell=click.echo)
    front = processes.list_servers()[-1]
    notice = "" if front == "nginx" else "   (nginx is not installed)"
    told = {"FRONT": made.url(front) + notice, "FOLDER": str(folder)}
    click.echo(made.fill("stack/started.txt", **told))
    if detach:
        return
    try:
        with suppress(KeyboardInterrupt):
            processes.follow(made)
    finally:
        click.echo("ending all servers")
        processes.shut_down(made)


@stack.command()
@_FOLDER
def down(folder: Path) -> None:
    """End all servers, also those that a killed supervisor left."""
    from bukva.cli.stack_processes.processes import open_stack, shut_down

    was_up = shut_down(open_stack(folder))
    click.echo("All servers have ended." if was_up else "Nothing runs.")


@stack.command()
@_FOLDER
def status(folder: Path) -> None:
    """Show which servers run, and which of them answer. Exits with 1 if one does not."""
    from bukva.cli.stack_processes.processes import answers, list_servers, open_stack

    opened = open_stack(folder)
    asked = {name: answers(opened, name) for name in list_servers()}
    for name, is_up in asked.items():
        click.echo(f"{name:<12}{'answers' if is_up else 'is silent'}")
    if not all(asked.values()):
        raise click.exceptions.Exit(1)


@stack.command()
@_FOLDER
def env(folder: Path) -> None:
    """Print what a shell needs so that `kedro run --env=prod` works against the stack."""
    from bukva.cli.stack_processes.processes import open_stack

    for name, value in open_stack(folder).environment("training").items():
        click.echo(f"export {name}={shlex.quote(value)}")


@stack.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def passwords(file: Path) -> None:
    """Write FILE: .env.example with new passwords. One that is there stays as it is."""
    from bukva.cli.stack_processes.processes import write_variables

    is_new = write_variables(file)
    click.echo(f"Wrote {file}. Keep a copy apart." if is_new else f"{file} is there already.")


@stack.command()
@_FOLDER
@click.option("--to", "target", type=_PLACE, required=True, help="New folder of the backup.")
def backup(folder: Path, target: Path) -> None:
    """Write databases and bucket into a new folder."""
    from bukva.cli.stack_processes.backup import back_up

    click.echo(f"Backed up {back_up(_open_stores(folder), target)} files to {target}.")


@stack.command()
@_FOLDER
@click.option("--from", "source", type=_PLACE, required=True, help="Folder of the backup.")
@click.option("--replace", is_flag=True, help="Whatever is there now: it is lost.")
def restore(folder: Path, source: Path, replace: bool) -> None:
    """Put databases and bucket back. Whatever writes to them stands still meanwhile."""
    from bukva.cli.stack_processes.backup import check_backup, check_empty, put_back
    from bukva.cli.stack_processes.processes import open_stack, start_server

    check_backup(source)
    stores = _open_stores(folder)
    if not replace:
        check_empty(stores)
    if _is_in_compose():  # `make restore` stops and starts the containers
        put_back(stores, source)
    else:
        opened = open_stack(folder)
        opened.supervise("stop", "api", "mlflow")
        try:
            put_back(stores, source)
        finally:
            for name in ("mlflow", "api"):
                start_server(opened, name)
    click.echo(f"Restored {source}.")


@stack.command()
def make_users() -> None:
    """Make the accounts of MLflow (compose does this once)."""
    from bukva.cli.stack_processes import processes

    processes.make_users(os.environ)
    click.echo("The accounts trainer and service are there.")


def _open_stores(folder: Path) -> dict[str, str]:
    """Return where the databases and the bucket of a stack are; in compose the environment says."""
    if _is_in_compose():
        return dict(os.environ)
    from bukva.cli.stack_processes.processes import open_stack

    opened = open_stack(folder)
    if not opened.find_supervisord():
        raise StackError(f"Expected the stack in {folder} to run: make stack.")
    return opened.environment("operations")


def _is_in_compose() -> bool:
    return "PGHOST" in os.environ and "RCLONE_CONFIG_S3_ENDPOINT" in os.environ
