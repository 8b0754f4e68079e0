"""What `/openapi.json` says holds for whatever schemathesis makes of it.

A short run by default; `BUKVA_API_EXAMPLES=300` makes up to so many requests of each kind to each
operation, and with `-s` it says how many there were.
"""

import os
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from schemathesis import Case, HookContext
from serving_requests import base64_text, draw, encode
from serving_servers import Server, run_thread, wait_for

from bukva.serving.app import create_app
from bukva.serving.settings import Settings

CONFIG = {
    "generation": {"max-examples": int(os.environ.get("BUKVA_API_EXAMPLES", "10"))},
    # A schema cannot say which texts are images.
    "checks": {"positive_data_acceptance": {"enabled": False}},
}
PNG = encode(draw())

schemathesis.serializer.alias(["application/pdf", "image/tiff"], "application/octet-stream")
statuses: Counter[int] = Counter()
api = schemathesis.openapi.from_dict(
    create_app(Settings()).openapi(), config=schemathesis.Config.from_dict(CONFIG)
)


@api.hook
def map_body(_: HookContext, body: Any) -> Any:
    """Some requests get as far as the model: no generator of texts comes upon an image."""
    if isinstance(body, dict):
        return {name: _perhaps_an_image(value) for name, value in body.items()}
    return body


def _perhaps_an_image(value: Any) -> Any:
    if isinstance(value, list):
        return [_perhaps_an_image(each) for each in value]
    if isinstance(value, bytes | str) and len(value) % 2 == 0:
        return PNG if isinstance(value, bytes) else base64_text(PNG)
    return value


@pytest.fixture(scope="module")
def service(documents_registry: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("feedback")
    places = {"tracking_uri": documents_registry, "feedback_folder": folder}
    with run_thread(**places, deadline_s=60, document_deadline_s=60, line_deadline_s=60) as server:
        server.wait_until_ready()
        for task in ("document", "line"):
            wait_for(lambda name=task: server.answers(f"/v2/models/bukva-{name}/ready"))
        yield server
    sys.stdout.write(f"{statuses.total()} requests: {dict(sorted(statuses.items()))}\n")


@api.parametrize()
@pytest.mark.timeout(3600)
def test_an_operation_does_what_its_document_says(service: Server, case: Case) -> None:
    response = case.call_and_validate(base_url=service.base_url)
    statuses[response.status_code] += 1
