"""What Kedro's command line finds here: the commands of this project that replace its own."""

from typing import Any


def __getattr__(name: str) -> Any:
    """Return `cli`, for which Kedro asks; nobody else pays for importing Kedro.

    It is `kedro run`, whose `--params` leave text what is meant as text: versions, folders, names.
    """
    if name != "cli":
        raise AttributeError(name)
    from copy import copy

    import click
    from kedro.framework.cli.project import run

    from bukva.cli.options import parse_params

    command = copy(run)
    command.params = [copy(option) for option in run.params]
    next(option for option in command.params if option.name == "params").callback = parse_params
    return click.Group("bukva", commands={"run": command})
