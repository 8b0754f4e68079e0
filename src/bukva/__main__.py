"""`python -m bukva`: the command line. It imports nothing heavy before a command needs it."""

import sys

import click

from bukva.cli.corpora import corpora
from bukva.cli.dags import dags
from bukva.cli.experiments import experiments
from bukva.cli.job import job
from bukva.cli.model import model
from bukva.cli.release import release
from bukva.cli.report import card, report
from bukva.cli.retrain import retrain
from bukva.cli.review import review
from bukva.cli.stack import stack
from bukva.cli.tracking import tracking
from bukva.errors import BukvaError


@click.group()
def bukva() -> None:
    """Recognise handwritten Ukrainian letters and digits."""


bukva.add_command(card)
bukva.add_command(corpora)
bukva.add_command(dags)
bukva.add_command(experiments)
bukva.add_command(job)
bukva.add_command(model)
bukva.add_command(release)
bukva.add_command(report)
bukva.add_command(retrain)
bukva.add_command(review)
bukva.add_command(stack)
bukva.add_command(tracking)


def main() -> None:
    """Run the command line; an error of ours is one message on stderr and exit code 1."""
    try:
        bukva()
    except Exception as error:
        ours = _find_ours(error)
        if ours is None:
            raise
        click.echo(f"\n{type(ours).__name__}: {ours}", err=True)
        sys.exit(1)


def _find_ours(error: BaseException | None) -> BukvaError | None:
    """Return our own error among those that led to an error: Kedro wraps what a dataset raises."""
    while error is not None and not isinstance(error, BukvaError):
        error = error.__cause__
    return error


if __name__ == "__main__":
    main()
