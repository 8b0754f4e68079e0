"""What happens to the model in production when the job, or a part of it, is run again."""

from collections.abc import Callable

import mlflow
import numpy as np
import pandas as pd
import pytest
from job_storage import LEARNING, Storage
from kedro_project import run_pipeline


@pytest.fixture(scope="module")
def same_again(copy_of_job: Callable[[], Storage]) -> Storage:
    """The job again, but for most of its figures."""
    storage = copy_of_job()
    run_pipeline("__default__", storage.path, to_outputs=["packaged_models"], finetuning=LEARNING)
    run_pipeline("promotion", storage.path)
    return storage


@pytest.fixture(scope="module")
def untrained(copy_of_job: Callable[[], Storage]) -> Storage:
    """Another seed and hardly any training, so a worse candidate."""
    storage = copy_of_job()
    parameters = {"seed": 2, "max_epochs": 1, "steps_per_epoch": 1}
    run_pipeline("finetuning", storage.path, finetuning=parameters)
    described = ["results", "model_card", "label_confusion", "case_confusion"]
    run_pipeline("evaluation", storage.path, to_outputs=described)
    run_pipeline("packaging", storage.path)
    run_pipeline("promotion", storage.path)
    return storage


def test_the_same_job_makes_the_same_model(job: Storage, same_again: Storage) -> None:
    again, results = same_again.report("results.json"), job.report("results.json")
    differing = {key for key in results if results[key] != again[key]}
    assert all(key.startswith("seconds.") for key in differing)
    assert again["model.weights_sha256"] == results["model.weights_sha256"]


def test_the_same_model_is_not_registered_twice(job: Storage, same_again: Storage) -> None:
    assert len(same_again.runs()) == 2 * len(job.runs())
    assert same_again.versions() == job.versions()
    assert same_again.aliases() == {"prod": "2", "previous": "1"}
    decision = same_again.report("decision.json")
    assert decision["is_known"]
    assert decision["reason"] == "it is version 2, already in production"


def test_a_worse_candidate_is_registered_but_not_promoted(job: Storage, untrained: Storage) -> None:
    verdict = untrained.report("verdict.json")
    assert verdict["comparison"]["label_accuracy.difference"] < 0
    assert not verdict["is_accepted"]
    assert "label accuracy on the same 421 test samples: -" in verdict["reason"]
    assert verdict["production_version"] == "2"
    assert untrained.versions().keys() == {"1", "2", "3"}
    assert untrained.versions()["2"] == job.versions()["2"]
    assert untrained.aliases()["prod"] == "2"


def test_promotion_may_be_forced(untrained: Storage) -> None:
    """As the job's last words propose; the version is there already."""
    assert untrained.aliases()["prod"] == "2"
    run_pipeline("promotion", untrained.path, promotion={"force": True})
    assert untrained.aliases() == {"prod": "3", "previous": "2"}
    assert untrained.versions().keys() == {"1", "2", "3"}
    assert "forced by promotion.force" in untrained.report("decision.json")["reason"]


def test_inference_runs_as_a_pipeline(same_again: Storage) -> None:
    runs_before = same_again.runs()
    run_pipeline("inference", same_again.path)
    # Nobody wants a run for every table of answers, nor answers in the run of a training.
    assert mlflow.active_run() is None
    assert same_again.runs() == runs_before
    folder = same_again.path / "07_model_output"
    answers = pd.read_parquet(folder / "answers.parquet")
    golden = pd.read_parquet(folder / "golden_samples.parquet")
    # None where an image is refused.
    pd.testing.assert_series_equal(answers["symbol"], golden["symbol"], check_dtype=False)
    np.testing.assert_array_equal(answers["confidence"], golden["confidence"])
    assert answers["error"].isna().all()
