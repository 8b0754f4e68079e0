"""Whether the tracking server is there, asked before work starts."""

import socket
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import requests
from mlflow.tracking import MlflowClient

from bukva.errors import TrackingUnreachableError
from bukva.registry.package_files import local_path, sqlite_path

SERVER_SCHEMES: Final = ("http", "https")
_DATABASE_PORTS: Final = {"postgresql": 5432, "mysql": 3306}


def check_tracking(uri: str, timeout_s: float = 5.0) -> None:
    """Return if MLflow can be used at an address.

    MLflow's own client would try for four minutes, and only once training is over.

    Raises:
        TrackingUnreachableError: If nothing answers there; says where and what to do.
    """
    scheme = urlsplit(uri).scheme.split("+")[0]
    try:
        if scheme in SERVER_SCHEMES:
            # What it refuses (a password, a host name) is said better by MLflow.
            requests.get(f"{uri.rstrip('/')}/version", timeout=timeout_s)
        elif scheme in _DATABASE_PORTS:
            address = urlsplit(uri)
            port = address.port or _DATABASE_PORTS[scheme]
            socket.create_connection((address.hostname or "localhost", port), timeout_s).close()
        elif scheme == "sqlite":
            Path(uri.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        message = (
            f"Expected MLflow at {_without_password(uri)}, but it does not answer within "
            f"{timeout_s:g} s ({error}). Start it, or set server.mlflow_tracking_uri in "
            "conf/<env>/mlflow.yml."
        )
        raise TrackingUnreachableError(message) from error


def is_server(uri: str) -> bool:
    """Return whether an address is that of a server, and not of a database."""
    return urlsplit(uri).scheme in SERVER_SCHEMES


def locate_tracking(uri: str, project: Path) -> str:
    """Return an address with its SQLite file seen from the project, wherever the run was started.

    A notebook starts in its own folder and would make a second, empty registry there.
    """
    scheme, separator, path = uri.partition(":///")
    if not separator or scheme.split("+")[0] != "sqlite" or path == ":memory:":
        return uri
    return f"{scheme}:///{project / path}"


def keep_artifacts_here(uri: str, name: str, location: str, project: Path) -> None:
    """Let new runs of a project that was moved or copied write into its own folder.

    MLflow never changes where the artifacts of an experiment lie. So the experiment of the former
    folder is renamed after it, with its runs and models, and a new one takes its name; back in
    that folder, it has its name again.

    Args:
        uri: Of the tracking store.
        name: Of the experiment.
        location: Where its artifacts are to lie, seen from the project.
        project: Root of the project.
    """
    database, here = sqlite_path(uri), local_path(location)
    if database is None or here is None or not database.is_file():
        return
    if database.parent != (here := project / here).parent:
        return  # they did not move together
    client = MlflowClient(uri)
    if (found := client.get_experiment_by_name(name)) is None:
        return
    there = local_path(found.artifact_location)
    if there is None or there.name != here.name or there.resolve() == here.resolve():
        return
    client.rename_experiment(found.experiment_id, f"{name} of {there.parent}")
    if former := client.get_experiment_by_name(f"{name} of {here.parent}"):
        client.rename_experiment(former.experiment_id, name)


def _without_password(uri: str) -> str:
    password = urlsplit(uri).password
    return uri.replace(f":{password}@", ":***@") if password else uri
