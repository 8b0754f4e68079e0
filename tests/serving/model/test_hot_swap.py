"""The alias moves while requests come in."""

import threading
from collections.abc import Iterator

import mlflow
import pytest
from mlflow import MlflowClient
from packaged_models import register
from serving_requests import draw, encode
from serving_servers import tracking_restored, wait_for

NAME = "bukva-moving"


@pytest.fixture
def registered(registry: str) -> Iterator[MlflowClient]:
    """A sound version 1, and the client of its registry."""
    with tracking_restored():
        mlflow.set_tracking_uri(registry)
        make_version()
        yield MlflowClient()
        MlflowClient().delete_registered_model(NAME)


def make_version(**differences):
    experiment = mlflow.get_experiment_by_name("serving")
    register(NAME, experiment.experiment_id, **differences)


@pytest.fixture
def moving(serve, registered, registry):
    with serve(tracking_uri=registry, model_name=NAME, alias_poll_s=0.05) as server:
        server.wait_until_ready()
        yield server


def served(server):
    return server.http.get("/readyz").json()


class Visitors:
    """Ask without a pause, and note who answered."""

    def __init__(self, server):
        self.versions, self.failures = [], []
        self._server, self._stopped = server, threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(3)]

    def _ask(self):
        while not self._stopped.is_set():
            file = {"file": ("a.png", encode(draw()))}
            answer = self._server.http.post("/v1/predict", files=file)
            if answer.status_code == 200:
                self.versions.append(answer.json()["model"]["version"])
            else:
                self.failures.append(answer.text)

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stopped.set()
        for thread in self._threads:
            thread.join()


def test_the_alias_moves_without_a_lost_request(moving, registered):
    with Visitors(moving) as visitors:
        wait_for(lambda: visitors.versions)
        make_version()
        wait_for(lambda: visitors.versions[-1] == "2")
        # Back: that version is still there, nothing has to be loaded.
        registered.set_registered_model_alias(NAME, "prod", "1")
        wait_for(lambda: visitors.versions[-1] == "1")
    assert visitors.failures == []
    assert set(visitors.versions) == {"1", "2"}


def test_a_bad_version_is_refused_and_the_former_stays(moving, registered):
    with Visitors(moving) as visitors:
        make_version(temperature=float("nan"))
        wait_for(lambda: served(moving)["warning"])
        assert "Version 2 is refused" in served(moving)["warning"]
        assert served(moving)["model"]["version"] == "1"
        make_version()
        wait_for(lambda: served(moving)["model"]["version"] == "3")
    assert served(moving)["warning"] is None
    assert visitors.failures == []
    assert set(visitors.versions) <= {"1", "3"}


def test_an_alias_that_is_taken_away_leaves_the_model(moving, registered):
    registered.delete_registered_model_alias(NAME, "prod")
    wait_for(lambda: served(moving)["warning"])
    assert "has no models:" in served(moving)["warning"]
    assert served(moving)["model"]["version"] == "1"
