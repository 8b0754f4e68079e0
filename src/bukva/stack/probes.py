"""Whether a server answers: each is asked something that it can only answer when it works."""

import base64
import json
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any, Final

from bukva.errors import StackError
from bukva.stack.layout import Layout
from bukva.stack.programs import find_postgresql

_TIMEOUT_S: Final = 5
_PAUSE_S: Final = 0.1
_LOOK_S: Final = 2
_PATIENCE_S: Final = 180

Probe = Callable[[], bool]


def probes(layout: Layout) -> dict[str, Probe]:
    """Return the question for each server."""
    return {
        "postgresql": lambda: answers_sql(layout.superuser()),
        "s3": lambda: answers_s3(layout.keys_of("owner")),
        "mlflow": lambda: answers_mlflow(layout.login_of("admin")),
        "api": lambda: answers_http(f"{layout.url('api')}/livez"),
        "nginx": lambda: answers_http(f"{layout.url('nginx')}/livez"),
    }


def wait_for(name: str, probe: Probe, has_given_up: Probe) -> None:
    """Return when a server answers.

    Raises:
        StackError: If it ends again and again, or does not answer in time.
    """
    begun_s = looked_s = time.monotonic()
    while not probe():
        now_s = time.monotonic()
        if now_s - begun_s > _PATIENCE_S:
            raise StackError(f"Expected {name} to answer within {_PATIENCE_S} s, it does not.")
        if now_s - looked_s > _LOOK_S:
            looked_s = now_s
            if has_given_up():
                raise StackError(f"Expected {name} to answer, it ended.")
        time.sleep(_PAUSE_S)


def answers_sql(environment: Mapping[str, str]) -> bool:
    """Whether PostgreSQL answers a query."""
    command = [find_postgresql("psql"), "--no-psqlrc", "-tAc", "select 1", "postgres"]
    done = subprocess.run(command, env=dict(environment), capture_output=True, check=False)  # noqa: S603 - our own command
    return done.returncode == 0


def answers_s3(keys: Mapping[str, str]) -> bool:
    """Whether S3 answers a signed request for the list of buckets."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        open_s3(keys).list_buckets()
    except (BotoCoreError, ClientError):
        return False
    return True


def open_s3(keys: Mapping[str, str]) -> Any:
    """Return a client of S3 that gives up soon."""
    from botocore.config import Config
    from botocore.session import Session

    return Session().create_client(
        "s3",
        endpoint_url=keys["AWS_ENDPOINT_URL"],
        region_name=keys["AWS_DEFAULT_REGION"],
        aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
        config=Config(
            connect_timeout=_TIMEOUT_S,
            read_timeout=_TIMEOUT_S,
            retries={"total_max_attempts": 1},
            request_checksum_calculation="when_required",
        ),
    )


def answers_mlflow(login: Mapping[str, str]) -> bool:
    """Whether MLflow finds experiments, which takes its database and a login."""
    try:
        call_mlflow(login, "POST", "experiments/search", {"max_results": 1})
    except (OSError, ValueError):
        return False
    return True


def call_mlflow(
    login: Mapping[str, str], method: str, path: str, content: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what MLflow's server answers.

    Raises:
        OSError: If it does not answer, or with an error (HTTPError).
        ValueError: If it does not answer with JSON.
    """
    account = f"{login['MLFLOW_TRACKING_USERNAME']}:{login['MLFLOW_TRACKING_PASSWORD']}"
    headers = {
        "Authorization": f"Basic {base64.b64encode(account.encode()).decode()}",
        "Content-Type": "application/json",
    }
    url = f"{login['MLFLOW_TRACKING_URI']}/api/2.0/mlflow/{path}"
    asked = urllib.request.Request(  # noqa: S310 - http(s) only
        url, json.dumps(content).encode(), headers, method=method
    )
    with urllib.request.urlopen(asked, timeout=_TIMEOUT_S) as answer:  # noqa: S310 - http(s) only
        answered: dict[str, Any] = json.load(answer)
    return answered


def answers_http(url: str) -> bool:
    """Whether an address answers with 200."""
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer:  # noqa: S310 - http only
            return bool(answer.status == 200)
    except OSError:
        return False
