"""The containers, tried with a Docker engine: they answer, come back, and give back what was lost.

Their images are built before (docs/how_to/stack.md), and the engine is asked for by a variable.
"""

import base64
import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from compose_project import ComposeProject, make_compose_project
from kedro_project import PROJECT
from serving_servers import wait_for
from stack_process import LITTLE_TRAINING

pytestmark = [
    pytest.mark.timeout(1800),
    pytest.mark.skipif(
        os.environ.get("BUKVA_TEST_CONTAINERS") != "yes",
        reason="containers are tried where BUKVA_TEST_CONTAINERS=yes says that their images and "
        "a Docker engine are there: see docs/how_to/stack.md",
    ),
]

LETTER = (PROJECT / "docs" / "images" / "letter.png").read_bytes()
SERVERS = ("postgresql", "s3", "mlflow", "api", "nginx")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposeProject]:
    folder = tmp_path_factory.mktemp("compose")
    with make_compose_project(folder, dict(os.environ)) as project:
        yield project


@pytest.fixture(scope="module")
def predicted(project: ComposeProject) -> str:
    answer = project.predict(LETTER)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_a_letter_is_read_through_nginx(project: ComposeProject, predicted: str) -> None:
    assert '"symbol":"Ґ"' in predicted
    assert not project.answers("/metrics")
    assert project.predict(b"0" * 30_000_000).status_code == 413


@pytest.mark.parametrize("service", SERVERS)
def test_a_container_may_do_as_little_as_it_can(project: ComposeProject, service: str) -> None:
    given = project.inspect(service)
    assert given["HostConfig"]["ReadonlyRootfs"]
    assert given["HostConfig"]["CapDrop"] == ["ALL"]
    assert "cannot" in project.compose(
        "exec", service, "sh", "-c", "id -u | grep -v '^0$' && touch /mine", may_fail=True
    )


@pytest.mark.parametrize(
    ("address", "outcome"),
    [
        (("mlflow", 5000), "reached"),
        (("postgresql", 5432), "name resolution"),
        (("1.1.1.1", 443), "Error"),
    ],
)
def test_the_service_reaches_neither_the_database_nor_the_world(
    project: ComposeProject, address: tuple[str, int], outcome: str
) -> None:
    code = f"import socket; socket.create_connection({address}, 3); print('reached')"
    said = project.compose("exec", "api", "python", "-c", code, may_fail=True)
    assert outcome in said.splitlines()[-1]


@pytest.mark.parametrize("service", SERVERS)
def test_what_is_killed_is_back(project: ComposeProject, predicted: str, service: str) -> None:
    project.kill(service)
    wait_for(lambda: project.inspect(service)["RestartCount"] > 0, timeout_s=60)
    wait_for(lambda: project.answers("/readyz"), timeout_s=180)
    project.start()
    assert project.predict(LETTER).text == predicted


def test_services_that_are_started_anew_are_found(project: ComposeProject, predicted: str) -> None:
    project.start("--force-recreate", "--no-deps", "mlflow", "api")
    wait_for(lambda: project.answers("/readyz"), timeout_s=60)
    project.start("--scale", "api=2")
    wait_for(lambda: project.answers("/readyz"), timeout_s=60)
    assert {project.predict(LETTER).text for _ in range(10)} == {predicted}
    project.start("--scale", "api=1")


def test_the_service_is_watched(project: ComposeProject) -> None:
    def query(expression: str) -> str:
        tool = ("promtool", "query", "instant", "http://127.0.0.1:9090", expression)
        return project.compose("exec", "prometheus", *tool)

    project.compose("--profile=monitoring", "up", "--detach", "--wait", "prometheus")
    wait_for(lambda: "=> 1 @" in query('up{job="bukva"}'), timeout_s=90)
    assert 'route="/v1/predict"' in query("bukva_requests_total")


def test_a_pipeline_keeps_data_in_the_bucket_and_runs_in_mlflow(project: ComposeProject) -> None:
    if not project.run("docker", "images", "--quiet", "bukva-training").strip():
        pytest.skip("the image bukva-training is not there: docker compose build training")
    places = {
        "BUKVA_TEST_ROOT": "s3://bukva/test",
        "BUKVA_TEST_STORAGE": "/srv/bukva/tasks/glyph",
        "BUKVA_TEST_TRACKING_URI": "http://mlflow:5000",
    }
    told = [word for name, value in places.items() for word in ("--env", f"{name}={value}")]
    run = ("run", "--rm", *told, "training", "run", "--env=test")
    project.compose(*run, f"--params={LITTLE_TRAINING}")
    project.compose(*run, "--pipeline=promotion")
    listed = project.compose(
        "run", "--rm", "--entrypoint", "python", "training", "-m", "bukva", "model", "list",
        "--env=prod",
    )  # fmt: skip
    assert "candidate" in listed


def backed_up(project: ComposeProject, folder: Path) -> set[str]:
    """Write a backup; return the names of the objects in it."""
    project.run("make", "backup", f"TO={folder}")
    bucket = folder / "bucket"
    return {str(path.relative_to(bucket)) for path in bucket.rglob("*") if path.is_file()}


def test_what_was_lost_comes_back(project: ComposeProject, predicted: str, tmp_path: Path) -> None:
    body = {"image": base64.b64encode(LETTER).decode(), "symbol": "Ґ", "consent": True}
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    given = httpx.post(f"{project.front}/v1/feedback", json=body, headers=headers, timeout=15)
    assert given.status_code == 201
    time.sleep(10)  # it is delivered into the bucket in the background

    objects = backed_up(project, tmp_path / "before")
    assert any(given.json()["id"] in name for name in objects)
    project.lose()
    project.start()
    assert not any(given.json()["id"] in name for name in backed_up(project, tmp_path / "lost"))
    project.run("make", "restore", f"FROM={tmp_path / 'before'}", "REPLACE=yes")
    wait_for(lambda: project.answers("/readyz"), timeout_s=60)
    assert project.predict(LETTER).text == predicted
    assert backed_up(project, tmp_path / "after") == objects
