"""The data stage on drawn symbols and on corpora with broken images."""

import io
from collections.abc import Iterator

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image
from stage_runs import Data, manifest, run_stage, small_data, small_parameters

from bukva.core.fonts import HANDWRITING_FONTS
from bukva.core.samples import RawSample
from bukva.errors import CorpusCorruptError
from bukva.pipelines.data_processing import pipeline as data_processing
from bukva.tasks.glyph import charset
from bukva.tasks.glyph.schema import SampleTable


def png(grey_HW: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(grey_HW).save(buffer, "PNG")
    return buffer.getvalue()


def corpus(pages: list[RawSample], broken: int) -> Iterator[RawSample]:
    for place, page in enumerate(pages):
        image = png(np.asarray(page.image))
        yield RawSample(f"page{place}.png", image, page.label, page.is_uppercase)
    for place in range(broken):
        yield RawSample(f"broken{place}.png", png(np.eye(9, dtype=np.uint8))[:40], "а", False)


def process(pages: list[RawSample], broken: int) -> Data:
    inputs = {
        "corpora": {"comnist": lambda: corpus(pages, broken)},
        "published_split": None,
        "corpora_manifest": manifest(),
        **small_parameters(
            embedded={"samples_per_symbol": 0, "with_digits": False},
            data_processing={"test_share": 0.3, "valid_share": 0.3},
        ),
    }
    return run_stage(data_processing.create_pipeline(), inputs)


def test_the_table_describes_the_images() -> None:
    data = small_data()
    table = SampleTable.validate(data["sample_table"])
    assert len(table) == len(data["sample_images"]) > 400
    assert set(table["label"]) == set(charset.CLASSES)
    assert set(table["split"]) == {"train", "valid", "test"}
    assert set(table["corpus"]) == {"strokes", "nonsymbols"}


def test_no_font_is_in_two_splits() -> None:
    inputs = {
        "corpora": {},
        "published_split": None,
        "corpora_manifest": manifest(),
        **small_parameters(
            embedded={
                "samples_per_symbol": 0, "font_samples_per_symbol": 13, "with_digits": False
            },
        ),
    }  # fmt: skip
    table = run_stage(data_processing.create_pipeline(), inputs)["sample_table"]
    fonts = table[table["corpus"].eq("fonts")]
    assert set(fonts["split"]) == {"train", "valid", "test"}
    assert fonts.groupby("group")["split"].nunique().eq(1).all()
    assert set(fonts["group"]) == {font.name for font in HANDWRITING_FONTS}


def test_the_report_counts_what_the_table_holds() -> None:
    data = small_data()
    sizes = data["data_report"]["samples"]["strokes"]
    strokes = data["sample_table"].query("corpus == 'strokes'")
    assert sizes == strokes["split"].value_counts().to_dict()
    capitals = data["sample_table"].query("label == 'ґ' and is_uppercase == True")
    assert data["data_report"]["symbols"]["strokes"]["Ґ"] == len(capitals) > 0


def test_the_figures_are_drawn() -> None:
    data = small_data()
    for name in ("class_counts", "sample_sheet", "raw_sample_sheet", "ink_statistics"):
        assert isinstance(data[name], Figure)
        assert data[name].axes


def test_a_broken_image_is_named_and_the_run_goes_on(drawn_pages: list[RawSample]) -> None:
    data = process(drawn_pages, broken=1)
    [rejected] = data["data_report"]["rejected"]
    assert rejected["corpus"] == "comnist"
    assert rejected["name"] == "broken0.png"
    assert rejected["reason"]
    assert not data["sample_table"]["name"].eq("broken0.png").any()
    assert len(data["collected_table"]) == len(drawn_pages)


def test_too_many_broken_images_stop_the_run(drawn_pages: list[RawSample]) -> None:
    with pytest.raises(CorpusCorruptError, match="comnist") as caught:
        process(drawn_pages, broken=3)
    assert "broken0.png" in str(caught.value)


def test_the_same_image_stays_in_one_split(drawn_pages: list[RawSample]) -> None:
    data = process([*drawn_pages, *drawn_pages], broken=0)
    table = data["sample_table"]
    assert (table.groupby("sha256")["split"].nunique() == 1).all()
    assert data["duplicates"] != process(drawn_pages, broken=0)["duplicates"]
