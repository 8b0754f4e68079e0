"""From lines to a table, from that to a network, and what is kept of it."""

import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from bukva.core.corpora.labelled import read_labelled_parquet
from bukva.core.imaging.upscaling import encode_page
from bukva.core.samples import RawSample
from bukva.errors import CorpusCorruptError
from bukva.tasks.document.collection import (
    choose_lines,
    choose_strings,
    collect,
    normalise,
    split_lines,
)
from bukva.tasks.document.drawn_lines import draw_lines
from bukva.tasks.document.parameters import DataParameters, VariationParameters
from bukva.tasks.document.training import Trained, chances_of, predict_logits, restore
from bukva.tasks.document.variation import cut_windows, vary

Lines = tuple[pd.DataFrame, np.ndarray]


def test_fonts_do_not_cross_splits_and_both_labels_are_in_each(lines: Lines) -> None:
    table, images_NHW = lines
    assert images_NHW.shape == (len(table), 64, 512)
    assert images_NHW.any(axis=(1, 2)).all()
    assert table.groupby("group")["split"].nunique().max() == 1
    assert (table.groupby("split")["label"].nunique() == 2).all()


def test_the_same_seed_draws_the_same_lines(lines: Lines) -> None:
    table, images_NHW = collect({}, DataParameters(drawn_lines=20))
    np.testing.assert_array_equal(images_NHW, lines[1][: len(table)])


def raw(count: int, group: str) -> list[RawSample]:
    return [RawSample(f"{group}-{each}", b"", "printed", group=group) for each in range(count)]


@pytest.mark.parametrize("has_split", [True, False])
def test_a_corpus_in_parquet_keeps_its_split_or_is_dealt_out_by_document(has_split: bool) -> None:
    drawn = [line for line in draw_lines(60, seed=3) if np.ptp(line.image) > 90][:40]
    columns = {
        "image": [{"bytes": encode_page(np.asarray(line.image)), "path": None} for line in drawn],
        "label": [line.label for line in drawn],
        "document": [str(place // 2) for place in range(40)],
    }
    if has_split:
        columns["split"] = ["test" if place < 8 else "train" for place in range(40)]
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    files = {"data.parquet": buffer.getvalue()}
    settings = DataParameters(drawn_lines=0, valid_share=0.2, test_share=0.2)
    table, images_NHW = collect({"own": lambda: read_labelled_parquet(files)}, settings)
    assert len(table) == len(images_NHW) >= 38
    if has_split:
        assert (table["split"].eq("test") == table["group"].astype(int).lt(4)).all()
    else:
        assert table.groupby("group")["split"].nunique().max() == 1
        assert set(table["split"]) == {"train", "valid", "test"}


def test_of_too_many_lines_long_documents_give_way_first() -> None:
    samples = raw(100, "long") + raw(5, "short")
    chosen = choose_lines("x", samples, DataParameters(most_lines={"x": 15}))
    counts = pd.Series([sample.group for sample in chosen]).value_counts()
    assert counts.to_dict() == {"long": 10, "short": 5}


def test_a_fraction_is_of_whole_documents() -> None:
    samples = [sample for place in range(20) for sample in raw(3, f"d{place:02d}")]
    chosen = choose_lines("x", samples, DataParameters(subset_fraction=0.25))
    counts = pd.Series([sample.group for sample in chosen]).value_counts()
    assert counts.tolist() == [3] * 5


def test_headings_that_are_tested_are_never_learnt() -> None:
    headings = ["DATES", "Dates.", "NOMS", "DROITS", "ACTES", "Nos"]
    rows = [("printed", f"page-{page}", heading) for page in range(30) for heading in headings] + [
        ("handwritten", f"page-{page}", str(page)) for page in range(30) for _ in range(6)
    ]
    table = pd.DataFrame(rows, columns=["label", "group", "text"]).assign(
        corpus="forms", own_split=None
    )
    table["sample_id"] = [f"forms/{place:04d}" for place in range(len(table))]
    split = split_lines(table, DataParameters(unseen_strings={"forms": 0.4}))
    by_split = table[table["label"].eq("printed")].groupby(split)["text"]
    strings = {str(name): {normalise(text) for text in texts} for name, texts in by_split}
    assert strings["test"]
    assert not strings["test"] & (strings["train"] | strings["valid"])
    assert not split[table["label"].eq("handwritten")].eq("drop").any()


def test_a_heading_is_the_same_with_and_without_points_and_accents() -> None:
    assert normalise("NATURE ET ESPÈCE.") == normalise("Nature et espece")


def test_strings_are_drawn_up_to_their_share() -> None:
    strings = pd.Series(["a"] * 50 + ["b"] * 30 + ["c"] * 20)
    chosen = choose_strings(strings, 0.3, seed=1)
    assert chosen
    assert strings.isin(chosen).mean() <= 0.31


def test_a_corpus_that_cannot_be_read_is_named() -> None:
    broken = [RawSample(str(each), b"", "printed", group=str(each)) for each in range(30)]
    with pytest.raises(CorpusCorruptError, match="broken"):
        collect({"broken": lambda: iter(broken)}, DataParameters(drawn_lines=60))


def test_each_label_is_drawn_as_often(lines: Lines) -> None:
    train = pd.DataFrame(
        {"label": ["printed"] * 16 + ["handwritten"] * 5, "corpus": ["a"] * 16 + ["a"] * 4 + ["b"]}
    )
    chances = pd.Series(chances_of(train))
    of_label = chances.groupby(train["label"]).sum()
    assert of_label["printed"] == pytest.approx(of_label["handwritten"])
    of_cell = chances[16:].groupby(train["corpus"][16:]).sum()
    assert of_cell["a"] / of_cell["b"] == pytest.approx(2.0)


def test_windows_hold_ink(lines: Lines) -> None:
    ink = torch.tensor(lines[1][:40], dtype=torch.float32)[:, None] / 255
    windows = cut_windows(ink, torch.Generator().manual_seed(1), 128)
    assert windows.shape == (40, 1, 64, 128)
    assert bool((windows.amax(dim=(1, 2, 3)) > 0.3).all())


def test_variation_stays_ink_and_is_seeded(lines: Lines) -> None:
    ink = torch.tensor(lines[1][:8], dtype=torch.float32)[:, None] / 255
    one, other = (
        vary(ink, torch.Generator().manual_seed(5), VariationParameters()) for _ in range(2)
    )
    assert torch.equal(one, other)
    assert 0 <= float(one.min()) <= float(one.max()) <= 1


def test_it_learns_and_says_how_well_each_epoch(trained: Trained) -> None:
    history = trained.history
    assert history["train_loss"].iloc[-1] < 0.95 * history["train_loss"].iloc[0]
    measures = {"accuracy", "balanced_accuracy", "precision", "recall", "f1", "roc_auc"}
    assert {f"valid_{name}" for name in measures} <= set(history)


def test_kept_weights_are_the_network_that_answers(trained: Trained, lines: Lines) -> None:
    network = restore(trained.weights)
    logits_NK, _ = trained.recogniser.logits_and_maps(lines[1][:20])
    np.testing.assert_allclose(predict_logits(network, lines[1][:20]), logits_NK, atol=1e-3)


def test_the_file_says_how_it_was_made(trained: Trained) -> None:
    spec = trained.recogniser.spec
    assert (spec["task"], spec["labels"]) == ("document", ["handwritten", "printed"])
    assert spec["preprocessing"] == {"height": 64, "width": 512, "margin": 0.06}
    assert 0.2 <= spec["temperature"] <= 5
