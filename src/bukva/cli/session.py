"""A session of Kedro in the project that the command line stands in."""

import logging
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bukva.errors import ParameterError

if TYPE_CHECKING:
    # Imported late: it takes seconds.
    from kedro.framework.session import KedroSession

    from bukva.configuration import ConfigLoader

_LOGGING_CONFIG: Final = "conf/logging_job.yml"


def open_project() -> Path:
    """Return the root of the project, ready for Kedro, with the few log lines of a job.

    Raises:
        ParameterError: If this is not the root of the project.
    """
    project = _find_project()
    # Read when kedro is imported.
    os.environ.setdefault("KEDRO_LOGGING_CONFIG", _LOGGING_CONFIG)
    # A bar for one small file.
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    from kedro.framework.startup import bootstrap_project

    bootstrap_project(project)
    return project


def connect_registry(env: str) -> "ConfigLoader":
    """Let MLflow look into the registry of an environment, without a session: that takes seconds.

    Returns:
        What reads the configuration of the environment.

    Raises:
        TrackingUnreachableError: If it does not answer.
        ParameterError: If this is not the root of the project.
    """
    project = _find_project()
    import mlflow

    from bukva.configuration import open_config
    from bukva.registry.tracking import check_tracking, locate_tracking

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Kedro's own deprecations
        loader = open_config(project, env)
        uri = locate_tracking(loader["mlflow"]["server"]["mlflow_tracking_uri"], project)
    check_tracking(uri)
    mlflow.set_tracking_uri(uri)
    return loader


def open_session(env: str, params: dict[str, Any] | None = None) -> "KedroSession":
    """Return a new session in an environment.

    Raises:
        ParameterError: If this is not the root of the project.
    """
    project = open_project()
    from kedro.framework.session import KedroSession

    session = KedroSession.create(project, env=env, runtime_params=params)
    # kedro-mlflow sets its own level when it is imported, over what the file says.
    logging.getLogger("kedro_mlflow").setLevel(logging.WARNING)
    return session


def _find_project() -> Path:
    project = Path.cwd()
    if not (project / _LOGGING_CONFIG).is_file():
        message = f"Expected {_LOGGING_CONFIG} in {project}: run from the project's root."
        raise ParameterError(message)
    return project
