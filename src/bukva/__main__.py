"""`python -m bukva`: the command line. It imports nothing heavy before a command needs it."""

import sys

import click

from bukva.commands.corpora import corpora
from bukva.errors import BukvaError


@click.group()
def bukva() -> None:
    """Recognise handwritten Ukrainian letters and digits."""


bukva.add_command(corpora)


def main() -> None:
    """Run the command line; an error of ours is one message on stderr and exit code 1."""
    try:
        bukva()
    except BukvaError as error:
        click.echo(f"{type(error).__name__}: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
