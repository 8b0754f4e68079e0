"""What the main job prints and leaves behind."""

import json
from hashlib import sha256
from typing import Any

import numpy as np
import pandas as pd
import pytest
from job_storage import LEARNING, Storage
from kedro.io import DataCatalog
from kedro_project import load_catalog, storage_at
from mlflow.entities import Run
from mlflow.tracking import MlflowClient
from PIL import Image

from bukva.cli.released.manifest import RELEASED
from bukva.registry.revision import git_revision
from bukva.tasks.glyph import charset
from bukva.tasks.glyph.schema import SampleTable

STAGES = (
    "data_processing", "mnist_pretraining", "finetuning", "evaluation", "packaging", "promotion",
)  # fmt: skip
FIGURES = (
    "class_counts", "sample_sheet", "ink_statistics", "label_confusion", "case_confusion",
    "reliability", "roc", "risk_coverage", "robustness_curves", "conditions", "worst_mistakes",
    "explained_mistakes", "raw_sample_sheet",
    "mnist_pretraining_learning_curves", "finetuning_learning_curves",
)  # fmt: skip
SHARES = (
    "digits.accuracy",
    "digits.label_accuracy",
    "strokes.label_accuracy",
    "strokes.letters.label_accuracy",
    "strokes.letters.case_accuracy",
    "strokes.letters.joint_accuracy",
    "all.label_accuracy",
)


@pytest.fixture(scope="module")
def results(job: Storage) -> dict[str, Any]:
    return job.report("results.json")


@pytest.fixture(scope="module")
def catalog(job: Storage) -> DataCatalog:
    with storage_at(job.path):
        return load_catalog("test")


@pytest.fixture(scope="module")
def runs(job: Storage) -> dict[str, Run]:
    client = job.client()
    experiment = client.get_experiment_by_name("bukva")
    return {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}


@pytest.mark.parametrize("key", SHARES)
def test_results_hold_each_share_with_its_interval(results: dict[str, Any], key: str) -> None:
    low, high = results[f"{key}.ci95"]
    assert 0 <= low <= results[key] <= high <= 1
    assert high - low > 0.001
    assert results[f"{key}.n"] > 50


def test_what_was_learnt_is_better_than_chance(results: dict[str, Any]) -> None:
    """More would need more than the two seconds that this training takes."""
    low, _ = results["all.label_accuracy.ci95"]
    assert low > 1.5 / len(charset.LABELS)


def test_joint_accuracy_is_the_lowest(results: dict[str, Any]) -> None:
    label, case, joint = (
        results[f"strokes.letters.{name}_accuracy"] for name in ("label", "case", "joint")
    )
    assert joint <= min(label, case)


@pytest.mark.parametrize("stage", STAGES)
def test_results_hold_the_seconds_of_each_stage(results: dict[str, Any], stage: str) -> None:
    assert 0 < results[f"seconds.{stage}"] < 120


def test_reports_are_json_for_any_reader(job: Storage) -> None:
    """Python writes and reads NaN, which is not JSON."""
    reports = sorted((job.path / "08_reporting").glob("*.json"))
    assert len(reports) >= 7
    for path in reports:
        json.loads(
            path.read_text(),
            parse_constant=lambda name, path=path: pytest.fail(f"{name} in {path}"),
        )


def test_every_class_is_present_in_every_split(catalog: DataCatalog) -> None:
    table = SampleTable.validate(catalog.load("sample_table"))
    images_NHW = catalog.load("sample_images")
    assert images_NHW.shape == (len(table), 28, 28)
    assert images_NHW.dtype == np.uint8
    for split in ("train", "test"):
        found = table[table["split"].eq(split)]
        symbols = {
            charset.to_symbol(label, None if pd.isna(case) else bool(case))
            for label, case in zip(found["label"], found["is_uppercase"], strict=True)
            if label != charset.NO_SYMBOL
        }
        assert symbols == set(charset.SYMBOLS)
        assert found["label"].eq(charset.NO_SYMBOL).any()


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_a_picture_here_and_in_mlflow(
    job: Storage, runs: dict[str, Run], name: str
) -> None:
    with Image.open(job.path / "08_reporting" / f"{name}.png") as image:
        image.load()
        assert min(image.size) > 200
        assert len(image.convert("L").getcolors() or range(256)) > 10
    logged = job.client().list_artifacts(runs["__default__"].info.run_id, "figures")
    assert f"figures/{name}.png" in {item.path for item in logged}


@pytest.mark.parametrize(
    "name", ["per_class_report", "misread_pairs", "label_suspects", "robustness", "conditions"]
)
def test_every_table_is_kept_beside_the_run(
    job: Storage, catalog: DataCatalog, runs: dict[str, Run], name: str
) -> None:
    logged = job.client().list_artifacts(runs["__default__"].info.run_id, "tables")
    assert f"tables/{name}.csv" in {item.path for item in logged}
    assert dict(catalog[name].preview()).keys() >= {"columns", "data"}


def test_kedro_viz_previews_a_figure(catalog: DataCatalog) -> None:
    assert str(catalog["label_confusion"].preview()).startswith("iVBOR")  # a PNG in base64


def test_each_part_of_the_job_is_one_finished_run(runs: dict[str, Run]) -> None:
    assert {name: run.info.status for name, run in runs.items()} == dict.fromkeys(
        ("__default__", "promotion"), "FINISHED"
    )


def test_parameters_are_logged_field_by_field(runs: dict[str, Run]) -> None:
    parameters = runs["__default__"].data.params
    for name, value in LEARNING.items():
        assert parameters[f"finetuning.{name}"] == str(value)
    assert parameters["finetuning.augmentation.rotation_deg"] == "12.0"
    assert parameters["finetuning.corpora.strokes"] == "0.75"
    assert parameters["embedded.samples_per_symbol"] == "14"
    assert runs["promotion"].data.params["promotion.force"] == "True"


def test_training_is_logged_by_step(job: Storage, runs: dict[str, Run]) -> None:
    history = pd.read_csv(job.path / "08_reporting" / "finetuning_history.csv")
    run_id = runs["__default__"].info.run_id
    for name in ("train_loss", "valid_loss", "valid_label_accuracy"):
        logged = job.client().get_metric_history(run_id, f"finetuning.{name}")
        assert [item.step for item in logged] == [1, 2, 3]
        assert [item.value for item in logged] == pytest.approx(history[name].tolist())
    assert list(history["phase"]) == ["heads", "all", "all"]


def test_test_metrics_are_logged(runs: dict[str, Run], results: dict[str, Any]) -> None:
    metrics = runs["__default__"].data.metrics
    for key in SHARES:
        assert metrics[f"test.{key}"] == results[key]


def test_the_model_is_in_production(job: Storage, results: dict[str, Any]) -> None:
    assert job.aliases() == {"prod": "2", "previous": "1"}
    version = job.client().get_model_version("bukva-glyph", "2")
    assert version.tags["git_revision"] == git_revision()
    assert version.tags["data_fingerprint"] == results["model.data_fingerprint"]
    assert version.tags["corpora"] == '["digits", "strokes"]'
    for key in SHARES:
        assert float(version.tags[key]) == results[key]
    assert not [key for key in version.tags if key.startswith("seconds.")]


def test_the_packaged_recogniser_is_the_trained_model(
    job: Storage, catalog: DataCatalog, tracking: MlflowClient, results: dict[str, Any]
) -> None:
    assert catalog.load("finetuning.model").digest() == results["model.weights_sha256"]
    recogniser = catalog.load("recogniser")
    assert recogniser.spec["weights_sha256"] == results["model.weights_sha256"]
    assert job.versions()["2"] == recogniser.sha256
    parity = job.report("parity.json")
    tests = catalog.load("sample_table")["split"].eq("test").sum()
    assert parity["images"] == tests > results["all.label_accuracy.n"]
    assert max(parity["max_label_difference"], parity["max_case_difference"]) <= 1e-4


def test_the_verdict_says_why(job: Storage) -> None:
    verdict, decision = job.report("verdict.json"), job.report("decision.json")
    # By itself, a model of drawings does not replace the released one.
    assert not verdict["is_accepted"]
    assert "rukopys, this one was not" in verdict["reason"]
    assert decision["is_promoted"]
    assert decision["reason"] == f"{verdict['reason']}; forced by promotion.force"


def test_the_released_model_was_installed_first(job: Storage, printed: str) -> None:
    version = job.client().get_model_version("bukva-glyph", "1")
    assert version.tags["released"] == "true"
    assert job.versions()["1"] == sha256((RELEASED / "model.onnx").read_bytes()).hexdigest()
    assert job.report("verdict.json")["production_version"] == "1"
    assert printed.index("Released model") < printed.index("Data, training, evaluation")
    assert "registered as version 1, is in production" in printed


def test_the_last_words_are_results_and_the_next_command(printed: str, job: Storage) -> None:
    for words in ("strokes (synthetic)", "digits (digit network)", "Time by stage", *STAGES):
        assert words in printed
    assert f"{job.path}/08_reporting/" in printed.replace("\n", "")
    assert "now in production" in printed
    assert "In production: version 2, made here, tested on digits" in printed
    assert "make serve" in printed
