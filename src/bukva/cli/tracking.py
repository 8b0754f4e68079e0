"""`bukva tracking`: what the tracking server could not take."""

import os
from pathlib import Path

import click

from bukva.cli.options import ENV
from bukva.cli.session import connect_registry


@click.group()
def tracking() -> None:
    """What runs logged while the tracking server was away."""


@tracking.command()
@ENV
def replay(env: str) -> None:
    """Deliver what runs that have ended left behind."""
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    storage = connect_registry(env)["globals"]["storage"]
    import mlflow

    from bukva.registry.journal import JOURNALS, describe, replay_journals

    folder = Path.cwd() / storage["local"] / JOURNALS
    found = replay_journals(folder, mlflow.get_tracking_uri())
    click.echo(f"{folder}: {describe(found)}.")
    if found["refused"]:
        click.echo(f"What MLflow refused, with its reasons: {folder}/refused.txt")
