"""From a folder of pages with their texts to a candidate, with and without former samples."""

import json
from pathlib import Path

import pytest
from page_files import draw_lines, encode, write_alto
from stage_runs import Data, run_stage, small_parameters

from bukva.core.samples import digest_test_split
from bukva.datasets.files import FolderDataset
from bukva.pipelines.line.pipeline import create_adaptation, create_pipelines
from bukva.tasks.line.task import TASK

TEXTS = ("добрий день", "щука й рак", "12 гривень", "мій дім ✓", "вечір", "дощ іде")
FORMER = ("sample_table", "sample_images", "texts", "character_table", "character_images")


class NoStore:
    """Keeps no checkpoint."""

    def load(self) -> None:
        return None

    def save(self, state: bytes) -> None:
        pass

    def clear(self) -> None:
        pass


@pytest.fixture(scope="module")
def made() -> Data:
    """What the stages before make."""
    line = small_parameters()["params:line"]
    data: Data = {
        **{f"params:line.{name}": getattr(line, name) for name in type(line).model_fields},
        "line.corpora": {},
        "line.training.checkpoints": NoStore(),
        "line.training.epoch_metrics": lambda row: None,
    }
    stages = create_pipelines()
    for name in ("data_processing", "training"):
        data |= run_stage(stages[name], data)
    return data


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four pages of six lines, and a file that is none."""
    folder = tmp_path_factory.mktemp("own")
    page_HW, boxes = draw_lines(TEXTS)
    for page in range(4):
        name = f"p{page}.png"
        (folder / name).write_bytes(encode(page_HW))
        text = write_alto(TEXTS, boxes, name, page_HW.shape[::-1])
        (folder / f"p{page}.xml").write_bytes(text)
    (folder / "mets.xml").write_bytes(b"<mets/>")
    return folder


def adapt(made: Data, folder: Path, *, with_former: bool) -> Data:
    source = FolderDataset(filepath=str(folder), setting="line.adaptation.source").load()
    former = {
        f"line.adaptation.{name}": made[f"line.{name}"] if with_former else None
        for name in FORMER
    }  # fmt: skip
    inputs = made | former | {
        "line.adaptation.folder": source,
        "line.adaptation.start_model": made["line.training.model"],
        "line.adaptation.start_weights": made["line.training.weights"],
        "line.adaptation.checkpoints": NoStore(),
        "line.adaptation.epoch_metrics": lambda row: None,
    }  # fmt: skip
    return run_stage(create_adaptation(), inputs)


@pytest.fixture(scope="module")
def adapted(made: Data, folder: Path) -> Data:
    return adapt(made, folder, with_former=True)


def test_pages_are_dealt_out_whole_and_strange_files_named(adapted: Data) -> None:
    table, report = adapted["line.adaptation.own_table"], adapted["line.adaptation.own_lines"]
    assert table.groupby("page")["split"].nunique().eq(1).all()
    assert report["splits"] == {"train": 12, "valid": 6, "test": 6}
    assert (report["lines"], report["pages"]) == (24, 4)
    assert list(report["unusable"].values()) == [["mets.xml"]]


def test_results_tell_of_own_lines_and_of_former_ones(adapted: Data) -> None:
    results, predictions = (
        adapted["line.adaptation.results"],
        adapted["line.adaptation.predictions"],
    )
    for scope in ("own", "former"):
        assert {f"{scope}.before.cer", f"{scope}.after.cer", f"{scope}.after.cer.ci95",
                f"{scope}.characters_right.difference"} <= set(results)  # fmt: skip
    assert predictions["scope"].value_counts().to_dict() == {"own": 6, "former": 6}
    assert {"text", "found_before", "found_after"} <= set(predictions)


def test_the_candidate_can_be_promoted_as_any_other(made: Data, adapted: Data) -> None:
    package, model = adapted["line.packaged_models"], adapted["line.adaptation.model"]
    assert model.charset.characters.endswith("✓")
    assert model.spec["adapted_from"] == made["line.training.model"].sha256
    split = digest_test_split(made["line.sample_table"], made["line.sample_images"])
    assert package.tags["test_split_sha256"] == split
    assert package.tags["corpora"] == ["fonts"]
    TASK.check_golden(model, package.dossier["golden_samples.json"])
    assert json.loads(package.dossier["results.json"])["model.onnx_sha256"] == model.sha256


def test_without_former_samples_made_lines_stand_in(made: Data, folder: Path) -> None:
    alone = adapt(made, folder, with_former=False)
    assert alone["line.packaged_models"].tags["corpora"] == ["own"]
    training = alone["line.adaptation.model"].spec["parameters"]["training"]
    assert training["synthetic"] == [0.5, 0.5]
    assert alone["line.adaptation.results"]["former.before.cer"] > 0
