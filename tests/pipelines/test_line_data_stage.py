"""The data stage of the task `line`, without corpora and with small ones, through real files."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from line_corpora import small_corpora
from matplotlib.figure import Figure
from stage_runs import Data, run_stage, small_parameters

from bukva.core.samples import LazyCorpora
from bukva.datasets.files import ArrayDataset, ParquetDataset
from bukva.pipelines.line.pipeline import create_pipelines
from bukva.tasks.line.characters import Characters
from bukva.tasks.line.line_maker import LineMaker

STAGE = create_pipelines()["data_processing"]


def process(corpora: LazyCorpora) -> Data:
    parameters = small_parameters()["params:line"].data_processing
    return run_stage(STAGE, {"line.corpora": corpora, "params:line.data_processing": parameters})


@pytest.fixture(scope="module")
def embedded() -> Data:
    return process({})


def test_a_clone_without_corpora_has_lines_in_all_splits(embedded: Data) -> None:
    table = embedded["line.sample_table"]
    assert set(table["split"]) == {"train", "valid", "test"}
    assert set(table["corpus"]) == {"fonts"}
    assert embedded["line.data_report"]["lines"]["fonts/test"] == 16
    assert isinstance(embedded["line.made_lines"], Figure)


def test_what_lines_are_made_of_comes_back_from_its_files(embedded: Data, tmp_path: Path) -> None:
    with_characters = process(small_corpora())
    for made in (embedded, with_characters):
        tables = {}
        for name in ("texts", "character_table"):
            kept = ParquetDataset(filepath=str(tmp_path / f"{name}.parquet"))
            kept.save(made[f"line.{name}"])
            tables[name] = kept.load()
            pd.testing.assert_frame_equal(tables[name], made[f"line.{name}"], check_dtype=False)
        images = ArrayDataset(filepath=str(tmp_path / "images.npy"))
        images.save(made["line.character_images"])
        characters = Characters(tables["character_table"], images.load())
        parameters = small_parameters()["params:line"].data_processing.synthesis
        maker = LineMaker(parameters, tables["texts"], characters)
        assert len(maker.draw(5, np.random.default_rng(1))[0]) == 5
        assert (maker.characters is not None) == (made is with_characters)
