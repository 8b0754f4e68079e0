"""MLflow's client as it is, but that a run goes on where its server dies, and loses nothing.

What a run writes (metrics, parameters, tags, its end, files, runs nested under it) goes through
`Deliveries`. All other requests are MLflow's own. Delivering twice is harmless: a metric with the
same step, time and value is one row in MLflow's database, and its time is part of the request.
"""

import json
import os
from base64 import b64encode
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import mlflow
from mlflow.protos.service_pb2 import (
    CreateRun,
    LogBatch,
    LogMetric,
    LogParam,
    SetTag,
    UpdateRun,
)
from mlflow.store.tracking.rest_store import RestStore
from mlflow.tracking._tracking_service import utils
from mlflow.utils.credentials import get_default_host_creds
from mlflow.utils.proto_json_utils import parse_dict

from bukva.model_registry.deliveries import Deliveries
from bukva.model_registry.journal import Journal
from bukva.model_registry.sender import Sender, later_name, upload
from bukva.model_registry.tracking import SERVER_SCHEMES

_WRITES: Final = (CreateRun, LogBatch, LogMetric, LogParam, SetTag, UpdateRun)


class JournalledStore(RestStore):
    """The client of a tracking server.

    Args:
        server: Its address.
        folder: Where journals lie.
    """

    def __init__(self, server: str, folder: Path) -> None:
        super().__init__(partial(get_default_host_creds, server))  # type: ignore[no-untyped-call]
        self._sender = Sender(server)
        self.deliveries = Deliveries(self._sender.send, Journal(folder, server))

    def log_file(self, run_id: str, content: bytes, path: str) -> None:
        """Log a file of a run."""
        body = {"run_id": run_id, "file": path, "content": b64encode(content).decode()}
        self.deliveries.post({"body": self._sender.with_real_run(body)})

    def _call_endpoint(
        self, api: Any, json_body: str | None = None, *args: Any, **kwargs: Any
    ) -> Any:
        body = json.loads(json_body or "{}")
        if not _is_journalled(api, body):
            ask = super()._call_endpoint
            return ask(api, json_body, *args, **kwargs)  # type: ignore[no-untyped-call]
        path, method = self._METHOD_TO_INFO[api]
        body = self._sender.with_real_run(body)
        answer = self.deliveries.post({"path": path, "method": method, "body": body})
        response = api.Response()
        if answer is not None:
            parse_dict(answer, response)
        elif api is CreateRun:
            response.run.info.run_id = later_name(body)
        return response


def _is_journalled(api: Any, body: dict[str, Any]) -> bool:
    """Return whether a request need not be answered at once, and may be sent twice."""
    if api is CreateRun:
        return bool(later_name(body))
    # Numbers of a model are kept with the model as well, and its packaging needs the server anyway.
    metrics = [body, *body.get("metrics", [])]
    return api in _WRITES and not any("model_id" in metric for metric in metrics)


def keep_journal(folder: Path) -> None:
    """Let this process talk to tracking servers through `JournalledStore` from now on.

    Args:
        folder: Where journals lie.
    """
    # What is not journalled fails in seconds, not in four minutes.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    # To print a link when a run ends, MLflow's client asks the server for the run.
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    _register(_StoreBuilder(folder))


def forget_journal() -> None:
    """Let this process talk to tracking servers through MLflow's own client again."""
    _register(utils._get_rest_store)


def journal_folder() -> Path | None:
    """Return where this process keeps its journals, None where it keeps none."""
    builder = utils._tracking_store_registry.get_store_builder("http://")
    return builder.folder if isinstance(builder, _StoreBuilder) else None


class _StoreBuilder(NamedTuple):
    folder: Path

    def __call__(self, store_uri: str, **_: Any) -> JournalledStore:
        return JournalledStore(store_uri, self.folder)


def _register(builder: Any) -> None:
    for scheme in SERVER_SCHEMES:
        utils._tracking_store_registry.register(scheme, builder)
    type(utils._tracking_store_registry)._get_store_with_resolved_uri.cache_clear()


def wait_for_deliveries(timeout_s: float) -> int:
    """Wait until the tracking server has everything; return how many requests it has not."""
    store = utils._get_store()
    return store.deliveries.wait(timeout_s) if isinstance(store, JournalledStore) else 0


def log_file(content: bytes, path: str) -> None:
    """Log a file with the active run, if there is one.

    Args:
        content: Of the file.
        path: Under the artifacts of the run.
    """
    run = mlflow.active_run()
    if run is None:
        return
    store = utils._get_store()
    if isinstance(store, JournalledStore):
        store.log_file(run.info.run_id, content, path)
    else:
        upload(mlflow.get_tracking_uri(), run.info.run_id, content, path)
