"""The main job with its data in a bucket: the same results as on local disk."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from job_storage import LEARNING, Storage
from kedro_project import run_pipeline
from killed_saves import Place, read_files
from object_store import run_store, s3_is

# They hold seconds.
CHANGING = ("stage_seconds.json", "results.json", "_history.csv", "_learning_curves.png")
# `storage.local`: the recogniser is uploaded by MLflow from here.
LOCAL = {"06_models/recogniser.onnx"}


@pytest.fixture(scope="module")
def bucket(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[dict[str, bytes], Storage]]:
    """What the job left in the bucket, and beside it on local disk."""
    local = tmp_path_factory.mktemp("job_on_s3")
    with run_store(tmp_path_factory.mktemp("store")) as environment:
        place = Place("s3://bukva/job", environment)
        with s3_is(environment), pytest.MonkeyPatch.context() as patch:
            patch.setenv("BUKVA_TEST_ROOT", place.root)
            run_pipeline("__default__", local, finetuning=LEARNING)
        yield read_files(place), Storage(local)


def test_every_dataset_is_in_the_bucket(
    bucket: tuple[dict[str, bytes], Storage], job: Storage
) -> None:
    in_bucket, beside = bucket
    on_disk = set(read_files(Place(str(job.path), {})))
    by_promotion = {"08_reporting/verdict.json", "08_reporting/decision.json"}
    data = {path for path in on_disk if path[:2].isdigit()} - by_promotion
    assert set(in_bucket) == data - LOCAL
    assert {path for path in read_files(Place(str(beside.path), {})) if path[:2].isdigit()} == LOCAL


def test_its_contents_are_those_on_disk(
    bucket: tuple[dict[str, bytes], Storage], job: Storage
) -> None:
    in_bucket, _ = bucket
    differing = {
        path
        for path, content in in_bucket.items()
        if not path.endswith(CHANGING) and content != (job.path / path).read_bytes()
    }
    assert differing == set()


def test_its_results_are_those_on_disk(
    bucket: tuple[dict[str, bytes], Storage], job: Storage
) -> None:
    def measured(results: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in results.items() if not key.startswith("seconds.")}

    found = json.loads(bucket[0]["08_reporting/results.json"])
    assert measured(found) == measured(job.report("results.json"))


def test_the_model_of_the_bucket_is_packaged(
    bucket: tuple[dict[str, bytes], Storage], job: Storage
) -> None:
    assert set(bucket[1].runs().values()) == {"FINISHED"}
    recognisers = [(place.path / Path(*LOCAL)).read_bytes() for place in (bucket[1], job)]
    assert recognisers[0] == recognisers[1]
