"""What Kedro's command line finds here: the commands of this project that replace its own."""

from typing import Any


def __getattr__(name: str) -> Any:
    """Return `cli`, for which Kedro asks; nobody else pays for importing Kedro."""
    if name != "cli":
        raise AttributeError(name)
    from bukva.cli.kedro_run import commands

    return commands
