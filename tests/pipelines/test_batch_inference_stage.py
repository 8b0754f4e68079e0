"""Many images in, one row for each out: once, whatever becomes of the process in between."""

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from batch_runs import (
    CHUNK_IMAGES,
    Batch,
    make_project,
    png,
    rows_of,
    run_and_die,
    run_command,
    write_tensors,
)
from bucket_server import BUCKET, run_bucket
from clean_forks import clean_forks
from kedro_project import PROJECT, load_catalog, load_config

from bukva.configuration import open_config
from bukva.core.samples import RawSample
from bukva.datasets.storage import Files
from bukva.errors import BatchError
from bukva.pipelines.batch_inference import nodes
from bukva.pipelines.parameters import validate_parameters
from bukva.tasks.glyph.answer import ERROR_COLUMNS, READING_COLUMNS
from bukva.tasks.glyph.batch import PREDICTIONS
from bukva.tasks.glyph.recogniser import Recogniser

BAD = {"empty.png": png(np.full((40, 40), 255, dtype=np.uint8)), "notes.txt": b"no image"}


@pytest.fixture(scope="module")
def pages(drawn_pages: list[RawSample]) -> dict[str, bytes]:
    """Pages of all symbols, each in a file of its own."""
    return {f"{page.label}/{page.name}.png": png(page.image) for page in drawn_pages[::2]}


@pytest.fixture
def files(pages: dict[str, bytes], tmp_path: Path) -> Batch:
    """They and two bad ones, below a folder."""
    for name, content in (pages | BAD).items():
        path = tmp_path / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return Batch(str(tmp_path / "images"), str(tmp_path / "results"))


def small_images(drawn_pages: list[RawSample]) -> np.ndarray:
    """Images of 28 x 28 px as a user may have them: of either polarity, one of them empty."""
    from PIL import Image

    small = [np.asarray(Image.fromarray(page.image).resize((28, 28))) for page in drawn_pages[:70]]
    images_NHW = np.stack(small)
    images_NHW[::3] = 255 - images_NHW[::3]
    images_NHW[5] = 128
    return images_NHW


def expected_rows(recogniser: Recogniser, images: dict[str, bytes]) -> pd.DataFrame:
    """What a service answers for the same images."""
    names = sorted(images)
    answers = recogniser.recognise(pd.Series([images[name] for name in names]))
    answers.insert(0, "image", names)
    return answers[["image", *READING_COLUMNS, *ERROR_COLUMNS]]


def check_same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Names, words and errors are equal; numbers too, but for the last digits of float32."""
    numbers = ["confidence", "case_confidence", "symbol_confidence"]
    words = ["image", "symbol", "label", "case", "is_symbol", *ERROR_COLUMNS]
    left = found[words].astype(object).where(found[words].notna(), None)
    assert left.values.tolist() == expected[words].values.tolist()
    for name in numbers:
        np.testing.assert_allclose(
            found[name].astype(float), expected[name].astype(float), atol=2e-6
        )
    for ours, theirs in zip(found["alternatives"], expected["alternatives"], strict=True):
        assert (ours is None) == (theirs is None)
        if theirs is not None:
            shares = [item["probability"] for item in theirs]
            assert [item["probability"] for item in ours] == pytest.approx(shares, abs=2e-6)


def test_each_file_has_the_row_that_a_service_answers(
    files: Batch, pages: dict[str, bytes], random_recogniser: Recogniser
) -> None:
    files.run(random_recogniser)
    found = files.read()
    check_same(found, expected_rows(random_recogniser, pages | BAD))
    assert tuple(found.columns) == tuple(PREDICTIONS.names)
    assert set(found["model_version"]) == {"7"}
    assert set(found["model_sha256"]) == {random_recogniser.sha256}


def test_bad_images_are_listed_beside_with_code_and_reason(
    files: Batch, random_recogniser: Recogniser
) -> None:
    files.run(random_recogniser)
    rejected = files.read("rejected")
    assert dict(zip(rejected["image"], rejected["error"], strict=True)) == {
        "empty.png": "empty_image",
        "notes.txt": "unsupported_format",
    }
    assert rejected["error_detail"].str.startswith("Expected").all()
    report = files.report()
    assert report["images"] == 78
    assert report["rejected"] == {"empty_image": 1, "unsupported_format": 1}
    assert report["symbols"] + report["no_symbols"] == 76


@pytest.mark.parametrize("kind", ["arrays", "tensors"])
def test_raw_arrays_are_answered_as_their_pngs(
    kind: str, drawn_pages: list[RawSample], random_recogniser: Recogniser, tmp_path: Path
) -> None:
    images_NHW = small_images(drawn_pages)
    path = tmp_path / ("images.npy" if kind == "arrays" else "images.parquet")
    if kind == "arrays":
        np.save(path, images_NHW)
    else:
        # Row groups that no chunk ends with.
        write_tensors(path, images_NHW, row_group_size=23)
    batch = Batch(str(path), str(tmp_path / "results"))
    batch.run(random_recogniser)
    expected = expected_rows(
        random_recogniser, {f"{row:03d}": png(image) for row, image in enumerate(images_NHW)}
    )
    expected["image"] = [f"{path.name}#{row}" for row in range(len(images_NHW))]
    check_same(batch.read(), expected)
    assert batch.read("rejected")["image"].tolist() == [f"{path.name}#5"]
    assert len(list((tmp_path / "results" / "predictions").iterdir())) == 5


def test_encoded_images_in_tables_keep_the_names_that_they_have_there(
    pages: dict[str, bytes], random_recogniser: Recogniser, tmp_path: Path
) -> None:
    named = sorted(pages)
    (tmp_path / "images").mkdir()
    for place, names in enumerate((named[:40], named[40:])):
        table = pa.table({"id": names, "image": [pages[name] for name in names]})
        pq.write_table(table, tmp_path / "images" / f"{place}.parquet", row_group_size=11)
    batch = Batch(str(tmp_path / "images"), str(tmp_path / "results"))
    batch.run(random_recogniser)
    check_same(batch.read(), expected_rows(random_recogniser, pages))


def test_a_killed_run_goes_on_where_it_was_and_answers_each_image_once(
    files: Batch, random_onnx: bytes, random_recogniser: Recogniser, tmp_path: Path
) -> None:
    """Killed before, within and after the writing of a part; then left alone."""
    forks = clean_forks()
    done = Path(files.results) / "predictions"
    for part, where in enumerate(("before", "within", "after")):
        process = forks.Process(target=run_and_die, args=(files, random_onnx, where, part))
        process.start()
        process.join(timeout=120)
        assert process.exitcode == -9
        kept = {path.name for path in done.glob("part-*.parquet")}
        assert len(kept) == part + (where == "after")
    former = {path: path.stat().st_mtime_ns for path in done.glob("part-*.parquet")}
    files.run(random_recogniser)
    assert {path: path.stat().st_mtime_ns for path in former} == former
    untroubled = Batch(files.images, str(tmp_path / "untroubled"))
    untroubled.run(random_recogniser)
    assert list(rows_of(files.read())) == list(rows_of(untroubled.read()))
    assert files.report() == untroubled.report()


def test_what_is_done_is_not_read_again(
    files: Batch, random_recogniser: Recogniser, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.run(random_recogniser)
    before = files.read()
    (Path(files.results) / "predictions" / "part-000002.parquet").unlink()
    asked: list[int] = []
    predict_chunk = nodes.predict_chunk

    def watch(model: Any, chunk: Any, source: Any) -> Any:
        asked.append(chunk.number)
        return predict_chunk(model, chunk, source)

    monkeypatch.setattr(nodes, "predict_chunk", watch)
    files.run(random_recogniser)
    assert asked == [2]
    assert list(rows_of(files.read())) == list(rows_of(before))


def test_other_images_another_model_or_other_chunks_are_refused(
    files: Batch, random_recogniser: Recogniser
) -> None:
    files.run(random_recogniser)
    with pytest.raises(BatchError, match="model_version: 7 there, 8 now") as refusal:
        files.run(random_recogniser, version="8")
    assert "batch_inference.results" in str(refusal.value)
    with pytest.raises(BatchError, match=f"chunk_images: {CHUNK_IMAGES} there, 5 now"):
        files.run(random_recogniser, chunk_images=5)
    (Path(files.images) / "new.png").write_bytes(b"new")
    with pytest.raises(BatchError, match="image_count: 78 there, 79 now"):
        files.run(random_recogniser)
    (Path(files.images) / "new.png").unlink()
    os.utime(Path(files.images) / "empty.png", (time.time(), 1))
    with pytest.raises(BatchError, match="fingerprint: "):
        files.run(random_recogniser)
    assert len(files.read()) == 78


def test_predictions_of_nobody_knows_what_are_refused(
    files: Batch, random_recogniser: Recogniser
) -> None:
    files.run(random_recogniser)
    (Path(files.results) / "plan.json").unlink()
    with pytest.raises(BatchError, match=r"Expected plan\.json beside the predictions"):
        files.run(random_recogniser)


def test_a_broken_part_is_named_and_what_to_do(files: Batch, random_recogniser: Recogniser) -> None:
    files.run(random_recogniser)
    broken = Path(files.results) / "predictions" / "part-000001.parquet"
    broken.write_bytes(b"PAR1")
    with pytest.raises(BatchError, match=r"part-000001\.parquet.*Remove it"):
        files.run(random_recogniser)
    broken.unlink()
    files.run(random_recogniser)
    assert len(files.read()) == 78


def test_from_prefix_to_prefix_on_s3(
    pages: dict[str, bytes], random_recogniser: Recogniser, monkeypatch: pytest.MonkeyPatch
) -> None:
    with run_bucket() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        some = dict(list(pages.items())[:20])
        for name, content in some.items():
            server.put_bytes(f"in/{name}", content)
        # As people write addresses.
        batch = Batch(f"s3://{BUCKET}/in/", f"s3://{BUCKET}/out/")
        batch.run(random_recogniser)
        batch.run(random_recogniser)
        assert set(Files(f"s3://{BUCKET}").names()) == {"in", "out"}
        check_same(batch.read(), expected_rows(random_recogniser, some))
        assert batch.read("rejected").empty


def test_ray_gives_the_same_table_and_goes_on_with_it(
    files: Batch, random_recogniser: Recogniser, tmp_path: Path
) -> None:
    pytest.importorskip("ray", reason="needs the extra `ray`: pip install 'bukva[ray]'")
    here = Batch(files.images, str(tmp_path / "here"))
    here.run(random_recogniser)
    files.run(random_recogniser)
    for part in (1, 3, 4):
        (Path(files.results) / "predictions" / f"part-{part:06d}.parquet").unlink()
    files.run(random_recogniser, engine="ray", ray_workers=2)
    assert list(rows_of(files.read())) == list(rows_of(here.read()))
    assert files.report() == here.report()


def test_the_catalog_reads_where_the_parameters_say() -> None:
    given = {"images": "s3://b/in", "results": "s3://b/out", "model": "3"}
    for env in ("base", "s3"):
        for runtime in ({}, {"batch_inference": given}):
            config = load_config(env, **runtime)
            parameters = validate_parameters(config["parameters"]).batch_inference
            catalog = config["catalog"]
            assert catalog["batch_images"]["filepath"] == parameters.images
            assert str(catalog["batch_model"]["reference"]) == parameters.model
            assert catalog["batch_progress"]["folder"] == parameters.results
            assert catalog["batch_plan"]["filepath"] == f"{parameters.results}/plan.json"
    assert load_catalog("base").get("batch_model") is not None


def test_what_the_file_of_an_environment_says_counts(tmp_path: Path) -> None:
    """Until the command line says otherwise."""
    shutil.copytree(PROJECT / "conf", tmp_path / "conf")
    said = {
        "batch_inference": {"images": "s3://b/in/", "results": "s3://b/read/", "model": 12},
        "data_processing": {"corpora": ["mnist"]},
    }
    (tmp_path / "conf" / "s3" / "parameters_of_mine.yml").write_text(yaml.safe_dump(said))
    config = open_config(tmp_path, "s3")
    catalog = config["catalog"]
    assert catalog["batch_images"]["filepath"] == "s3://b/in/"
    assert catalog["batch_model"]["reference"] == "12"
    assert catalog["corpora"]["names"] == catalog["published_split"]["names"] == ["mnist"]
    parameters = validate_parameters(config["parameters"])
    assert parameters.batch_inference.model == "12"
    assert parameters.data_processing.corpora == ("mnist",)
    overruled = open_config(tmp_path, "s3", {"data_processing": {"corpora": ["rukopys"]}})
    assert overruled["catalog"]["corpora"]["names"] == ["rukopys"]


def test_what_looks_like_a_number_on_the_command_line_is_a_name(
    pages: dict[str, bytes], random_recogniser: Recogniser, tmp_path: Path
) -> None:
    """By the real command, in a project whose folder of images is called 2026."""
    make_project(tmp_path, random_recogniser.onnx_model)
    (tmp_path / "2026").mkdir()
    (tmp_path / "2026" / "page.png").write_bytes(next(iter(pages.values())))

    def run(model: str) -> str:
        done = run_command(tmp_path, images="2026", results="007", model=model)
        return done.stdout + done.stderr

    # It is looked for in the registry, which is empty.
    assert "of 'bukva-glyph', got '1', which it has not" in (told := run("1")), told
    told = run("local")
    assert (tmp_path / "007" / "plan.json").exists(), told
    assert len(Batch("", str(tmp_path / "007")).read()) == 1
    assert not (tmp_path / "7").exists()


@pytest.mark.parametrize("kind", ["parquet", "npy"])
def test_no_images_are_an_empty_table_that_can_be_read(
    kind: str, random_recogniser: Recogniser, tmp_path: Path
) -> None:
    path = tmp_path / f"images.{kind}"
    if kind == "npy":
        np.save(path, np.zeros((0, 28, 28), dtype=np.uint8))
    else:
        pq.write_table(pa.table({"image": pa.array([], type=pa.binary())}), path)
    batch = Batch(str(path), str(tmp_path / "results"))
    for _ in range(2):
        batch.run(random_recogniser)
        assert pd.read_parquet(tmp_path / "results" / "predictions").empty
        assert tuple(batch.read().columns) == tuple(PREDICTIONS.names)
        assert batch.read("rejected").empty
    assert batch.report()["images"] == 0


def test_a_plan_is_readable_by_people(files: Batch, random_recogniser: Recogniser) -> None:
    files.run(random_recogniser)
    plan = json.loads((Path(files.results) / "plan.json").read_text())
    assert plan["images"] == files.images
    assert (plan["kind"], plan["image_count"], plan["chunk_count"]) == ("files", 78, 5)
