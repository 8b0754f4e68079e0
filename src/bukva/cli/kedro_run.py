"""`kedro run`, whose `--params` leave text what is meant as text: versions, folders, names."""

from copy import copy
from typing import Final

import click
from kedro.framework.cli.project import run as kedro_run

from bukva.cli.options import parse_params

_RUN: Final[click.Command] = copy(kedro_run)
_RUN.params = [copy(option) for option in kedro_run.params]
next(option for option in _RUN.params if option.name == "params").callback = parse_params

commands: Final = click.Group("bukva", commands={"run": _RUN})
"""Kedro puts these before its own."""
