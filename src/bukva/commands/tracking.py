"""`bukva tracking`: what the tracking server could not take."""

from pathlib import Path

import click

from bukva.commands.options import ENV
from bukva.commands.session import connect_registry


@click.group()
def tracking() -> None:
    """What runs logged while the tracking server was away."""


@tracking.command()
@ENV
def replay(env: str) -> None:
    """Deliver what runs that have ended left behind."""
    storage = connect_registry(env)["globals"]["storage"]
    import mlflow

    from bukva.model_registry.replay import locate_journals, replay_journals

    folder = locate_journals(storage["local"], Path.cwd())
    found = replay_journals(folder, mlflow.get_tracking_uri())
    click.echo(f"{folder}: {found.describe()}.")
    if found.refused:
        click.echo(f"What MLflow refused, with its reasons: {folder}/refused.txt")
