"""The life of a model after its training, with MLflow's server on PostgreSQL and a running service.

The tests are the chapters of one story, in their order.
"""

import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from feedback_requests import correction, give
from job_storage import LEARNING, Storage
from kedro_project import PROJECT, run_pipeline, storage_at
from mlflow.tracking import MlflowClient
from mlflow_server import run_mlflow, run_postgresql
from serving_servers import Server, run_process, wait_for
from stored_corrections import png

from bukva.__main__ import bukva
from bukva.cli.retrain import add_feedback
from bukva.core.samples import RawSample
from bukva.tasks.glyph.charset import to_symbol
from bukva.tasks.glyph.embedded import draw_letters_and_digits

UNTRAINED = {"seed": 2, "max_epochs": 1, "steps_per_epoch": 1}


@dataclass(frozen=True)
class Story:
    """Where it takes place.

    Attributes:
        storage: The data, and what the pipelines make of them.
        registry: Address of MLflow's server.
    """

    storage: Storage
    registry: str

    def train(self, **finetuning: Any) -> None:
        """Train, measure and package a model."""
        path = self.storage.path
        run_pipeline("finetuning", path, finetuning=finetuning)
        described = ["results", "model_card", "label_confusion", "case_confusion"]
        run_pipeline("evaluation", path, to_outputs=described)
        run_pipeline("packaging", path)

    def promote(self, **promotion: Any) -> dict[str, Any]:
        """Let the registry be changed as `promotion` decides, and return the decision."""
        run_pipeline("promotion", self.storage.path, promotion=promotion)
        return self.storage.report("decision.json")

    def bukva(self, *arguments: str) -> str:
        """What a command prints."""
        with storage_at(self.storage.path):
            done = CliRunner().invoke(bukva, [*arguments, "--env=test"], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    def aliases(self) -> dict[str, str]:
        found = MlflowClient(self.registry).get_registered_model("bukva-glyph").aliases
        return {alias: str(version) for alias, version in found.items()}


@pytest.fixture(scope="module")
def story(
    copy_of_job: Callable[[], Storage], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Story]:
    artifacts = tmp_path_factory.mktemp("artifacts")
    with (
        run_postgresql("story") as database,
        run_mlflow(database, artifacts=artifacts) as address,
        pytest.MonkeyPatch.context() as environment,
    ):
        environment.setenv("BUKVA_TEST_TRACKING_URI", address)
        # The server decides where artifacts lie: no client has another way to them.
        MlflowClient(address).create_experiment("bukva")
        yield Story(copy_of_job(), address)


@pytest.fixture(scope="module")
def corrections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the service keeps them."""
    return tmp_path_factory.mktemp("feedback")


@pytest.fixture(scope="module")
def service(story: Story, corrections: Path) -> Iterator[Server]:
    """The service, which is started once and never again."""
    settings = {
        "BUKVA_TRACKING_URI": story.registry,
        "BUKVA_ALIAS_POLL_S": "0.2",
        "BUKVA_FEEDBACK_FOLDER": str(corrections),
    }
    with run_process(**settings) as server:
        server.wait_until_ready(timeout_s=300)
        yield server


def answered_by(service: Server) -> str:
    image = (PROJECT / "docs" / "images" / "letter.png").read_bytes()
    answer = service.http.post("/v1/predict", files={"file": ("letter.png", image)})
    version: str = answer.raise_for_status().json()["model"]["version"]
    return version


def wait_for_version(service: Server, version: str) -> None:
    wait_for(lambda: answered_by(service) == version, timeout_s=60)


def test_the_first_model_goes_into_production(story: Story) -> None:
    story.train(**UNTRAINED)
    decision = story.promote()
    assert decision["is_promoted"]
    assert decision["reason"] == "no model is in production"
    assert story.aliases() == {"prod": "1"}


def test_it_is_served(service: Server) -> None:
    assert answered_by(service) == "1"


def test_a_better_model_is_first_a_candidate(story: Story, service: Server) -> None:
    story.train(**LEARNING)
    assert not story.promote(promote=False)["is_promoted"]
    assert story.aliases() == {"prod": "1", "candidate": "2"}
    assert answered_by(service) == "1"


def test_it_is_promoted_and_the_service_follows(story: Story, service: Server) -> None:
    said = story.bukva("model", "promote", "candidate")
    assert "now in production: label accuracy on the same 421 test samples: +" in said
    assert story.aliases() == {"prod": "2", "previous": "1"}
    wait_for_version(service, "2")


def test_the_service_follows_a_rollback(story: Story, service: Server) -> None:
    assert "Version 1 is in production again" in story.bukva("model", "rollback", "--why=a try")
    assert story.aliases() == {"prod": "1", "previous": "2"}
    wait_for_version(service, "1")
    story.bukva("model", "rollback")
    wait_for_version(service, "2")


def test_a_worse_model_is_refused_with_its_numbers(story: Story, service: Server) -> None:
    decision = story.promote(version="1")
    assert not decision["is_promoted"]
    assert "label accuracy on the same 421 test samples: -" in decision["reason"]
    assert "worse beyond chance" in decision["reason"]
    assert story.aliases()["prod"] == "2"
    assert answered_by(service) == "2"


def test_the_best_is_chosen_by_its_metric(story: Story) -> None:
    """Of all that were ever packaged: the last one is not the best."""
    story.train(**UNTRAINED | {"seed": 3})
    decision = story.promote(metric="all.label_accuracy")
    assert decision["is_known"]
    assert decision["reason"] == "it is version 2, already in production"


def test_what_happened_can_be_looked_at(story: Story) -> None:
    shown = json.loads(story.bukva("model", "show", "--json"))
    assert (shown["version"], shown["aliases"]) == ("2", ["prod"])
    assert [period["to"] is None for period in shown["in_production"]] == [False, True]
    assert shown["in_production"][0]["why"].startswith("label accuracy on the same 421")
    low, high = shown["metrics"]["all.label_accuracy"]["interval_95"]
    assert low < shown["metrics"]["all.label_accuracy"]["value"] < high
    assert shown["parameters"]["finetuning"]["max_epochs"] == LEARNING["max_epochs"]
    assert shown["tags"]["status"] == "production"
    log = json.loads(story.bukva("model", "log", "--json"))
    assert [entry["version"] for entry in log] == ["1", "2", "1", "2"]
    assert {entry["state"] for entry in log} == {"done"}
    assert log[2]["why"] == "a try"
    compared = json.loads(story.bukva("model", "compare", "previous", "prod", "--json"))
    assert compared["same_test_split"]
    assert compared["versions"] == ["1", "2"]
    assert compared["differences"]["finetuning.max_epochs"] == [1, LEARNING["max_epochs"]]
    first, second = compared["metrics"]["all.label_accuracy"]
    assert first["value"] < second["value"]


def test_people_can_read_it_too(story: Story) -> None:
    assert "In production" in story.bukva("model", "show", "previous")
    assert "all.label_accuracy" in story.bukva("model", "compare", "1", "2")
    assert "a try" in story.bukva("model", "log")
    listed = story.bukva("model", "list")
    assert "prod" in listed
    assert "previous" in listed


def test_corrections_are_in_the_next_training_table(
    story: Story, service: Server, corrections: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = list(draw_letters_and_digits(samples_per_symbol=1, seed=77))[:5]
    given = {give_page(service, page) for page in pages}
    monkeypatch.setenv("BUKVA_FEEDBACK_FOLDER", str(corrections))
    with storage_at(story.storage.path):
        learning = add_feedback("test", {}, 0.01)
    run_pipeline("feedback_ingestion", story.storage.path)
    run_pipeline("data_processing", story.storage.path, data_processing=learning["data_processing"])
    table = pd.read_parquet(story.storage.path / "03_primary" / "sample_table.parquet")
    feedback = table[table["corpus"].eq("feedback")]
    assert set(feedback["name"]) == given
    assert set(feedback["split"]) == {"train"}


def give_page(service: Server, page: RawSample) -> str:
    symbol = to_symbol(page.label, page.is_uppercase)
    answer = give(service, correction(symbol, png(np.asarray(page.image))), key=uuid.uuid4().hex)
    return str(answer.raise_for_status().json()["id"])


def test_a_version_whose_files_were_lost_is_not_promoted(story: Story, service: Server) -> None:
    client = MlflowClient(story.registry)
    place = client.get_model_version_download_uri("bukva-glyph", "1")
    artifact = place.removeprefix("mlflow-artifacts:/")
    gone = f"/api/2.0/mlflow-artifacts/artifacts/{artifact}/artifacts/recogniser.onnx"
    httpx.delete(f"{story.registry}{gone}").raise_for_status()
    with storage_at(story.storage.path):
        done = CliRunner().invoke(bukva, ["model", "rollback", "--env=test"])
    assert type(done.exception).__name__ == "SealError"
    assert story.aliases()["prod"] == "2"
    assert answered_by(service) == "2"
