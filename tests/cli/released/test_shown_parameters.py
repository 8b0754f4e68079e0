"""What `model show` says that a model was trained with is what had an effect on it."""

import json
from typing import Any

import pytest
from job_storage import Storage
from mlflow.tracking import MlflowClient

from bukva.cli.released.manifest import RELEASED, Release, read_release


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Storage:
    """A storage where the released model is installed."""
    storage = Storage(tmp_path_factory.mktemp("shown"))
    storage.run("release", "install")
    return storage


def show(storage: Storage) -> Any:
    return json.loads(storage.run("model", "show", "prod", "--json"))


def assert_shares(corpora: dict[str, float], trained_on: list[str]) -> None:
    assert corpora.keys() <= set(trained_on)
    assert all(corpora.values())
    assert sum(corpora.values()) == pytest.approx(1, abs=5e-4)


def test_of_the_released_model(storage: Storage) -> None:
    release = read_release(RELEASED)
    shown = show(storage)
    assert "rukopys" in release.unseen
    # It went on from the model that was released before.
    finetuning = shown["parameters"]["finetuning"]
    assert (finetuning["start"], finetuning["released_share"]) == ("released", 0.4)
    assert_shares(finetuning["corpora"], shown["tags"]["trained_on"])
    assert finetuning["corpora"]["cyrillic_mnist"] == pytest.approx(0.12 / 0.83, abs=1e-4)
    assert shown["parameters"] == release.parameters
    assert "rukopys" not in storage.run("model", "show", "prod").partition("Parameters")[2]


def test_of_a_version_that_was_registered_with_all_that_conf_said(storage: Storage) -> None:
    """As the released model was until it was written down what a training used."""
    given = {"corpora": {"mnist": 0.3, "comnist": 0.3, "rukopys": 0.4, "digits": 0.0}, "seed": 1}
    client = MlflowClient(storage.tracking_uri)
    former = client.get_model_version("bukva-glyph", "1").tags["parameters"]
    try:
        text = json.dumps({"finetuning": given})
        client.set_model_version_tag("bukva-glyph", "1", "parameters", text)
        used = {"corpora": {"mnist": 0.5, "comnist": 0.5}, "seed": 1}
        assert show(storage)["parameters"] == {"finetuning": used}
    finally:
        client.set_model_version_tag("bukva-glyph", "1", "parameters", former)


def test_of_a_model_of_the_main_job(job: Storage) -> None:
    shown = show(job)
    pretraining, finetuning = shown["parameters"].values()
    for stage in (pretraining, finetuning):
        assert_shares(stage["corpora"], shown["tags"]["trained_on"])
        assert "resume" not in stage
        # Digits have no case, and nothing among them shows no symbol.
        has_letters = stage is finetuning
        assert ("case_loss_weight" in stage, "kept_share" in stage) == (has_letters, has_letters)


def test_the_manifest_of_a_release_says_no_more(release: Release) -> None:
    corpora = release.parameters["finetuning"]["corpora"]
    assert_shares(corpora, ["digits", *release.trained_on])
