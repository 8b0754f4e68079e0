"""One attempt to deliver a request to a tracking server, and what its answer means."""

import json
from base64 import b64decode
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any, Final

from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from mlflow.utils.credentials import get_default_host_creds
from mlflow.utils.rest_utils import http_request, verify_rest_response

from bukva.errors import TrackingUnreachableError
from bukva.model_registry.journal import Request
from bukva.model_registry.tracking import check_tracking

LATER_TAG: Final = "bukva.later"
"""Names a run that may be made later: who makes it looks first whether it is there."""

_SEARCH: Final = "/api/2.0/mlflow/runs/search"
_TIMEOUT_S: Final = 10
# The server's database went away: MLflow says 503, or of a few of its errors 400 BAD_REQUEST.
_PASSING: Final = ("TEMPORARILY_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED", "BAD_REQUEST")


class Sender:
    """Sends requests to one server.

    Args:
        server: Its address.
    """

    def __init__(self, server: str) -> None:
        self._server = server
        # Runs that were made later, by the name that they had until then.
        self._made: dict[str, str] = {}

    def send(self, request: Request) -> Any:
        """Return the answer.

        Raises:
            TrackingUnreachableError: If the server is not there, or cannot reach its database.
            MlflowException: If it refuses.
        """
        body = self.with_real_run(request["body"])
        try:
            if "file" in body:
                return self._upload(body)
            if later_name(body):
                return self._make_run(request["path"], body)
            return self._ask(request["path"], request["method"], body)
        except Exception as error:
            if _is_refusal(error):
                raise
            message = f"Expected MLflow at {self._server} to take what is logged: {error}."
            raise TrackingUnreachableError(message) from error

    def with_real_run(self, body: Request) -> Request:
        """Return a request to a run that was made later, to the run itself if it is there."""
        ids = {key: body[key] for key in ("run_id", "run_uuid") if key in body}
        return body | {key: self._made.get(name, name) for key, name in ids.items()}

    def _make_run(self, path: str, body: Request) -> Any:
        name = later_name(body)
        known = self._ask(_SEARCH, "POST", {
            "experiment_ids": [body["experiment_id"]],
            "filter": f"tags.`{LATER_TAG}` = '{name}'",
            "max_results": 1,
        })  # fmt: skip
        found = known.get("runs")
        answer = {"run": found[0]} if found else self._ask(path, "POST", body)
        self._made[name] = answer["run"]["info"]["run_id"]
        return answer

    def _upload(self, body: Request) -> Any:
        # MLflow's own way to upload tries for longer.
        check_tracking(self._server)
        upload(self._server, body["run_id"], b64decode(body["content"]), body["file"])
        return {}

    def _ask(self, path: str, method: str, body: Request) -> Any:
        response = http_request(
            get_default_host_creds(self._server),
            path,
            method,
            json=body,
            timeout=_TIMEOUT_S,
            max_retries=0,
            raise_on_status=False,
        )
        return json.loads(verify_rest_response(response, path).text)


def later_name(body: Request) -> str:
    """Return the name of a run that is to be made; empty for any other request."""
    tags = body.get("tags", [])
    return next((tag["value"] for tag in tags if tag["key"] == LATER_TAG), "")


def upload(server: str, run_id: str, content: bytes, path: str) -> None:
    """Log a file of a run."""
    place = PurePosixPath(path)
    with TemporaryDirectory() as folder:
        file = Path(folder) / place.name
        file.write_bytes(content)
        under = None if place.parent == PurePosixPath() else str(place.parent)
        MlflowClient(server).log_artifact(run_id, str(file), under)


def _is_refusal(error: Exception) -> bool:
    """Return whether a server that is well gave a reason."""
    if not isinstance(error, MlflowException):
        return False
    is_client_error = 400 <= error.get_http_status_code() < 500
    return is_client_error and error.error_code not in _PASSING
