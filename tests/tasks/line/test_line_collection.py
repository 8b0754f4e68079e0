"""From corpora to the table: splits, what is left out and counted, texts that made lines say."""

import numpy as np
import pandas as pd
import pytest
from line_corpora import FRENCH, draw_page, small_corpora

from bukva.core.samples import RawSample
from bukva.errors import CorpusCorruptError
from bukva.tasks.line.characters import collect_characters
from bukva.tasks.line.collection import ADAPTATION, Collected, collect
from bukva.tasks.line.framing import HEIGHT
from bukva.tasks.line.parameters import DataParameters, SyntheticCounts

FEW = SyntheticCounts(train=4, valid=3, test=5)
PARAMETERS = DataParameters(
    font_lines=FEW, character_lines=FEW, valid_share=0.2, test_share=0.3, characters_per_symbol=5
)


def line(name: str, text: str, *, group: str = "own", image: bytes | None = None) -> RawSample:
    encoded = draw_page(FRENCH) if image is None else image
    return RawSample(
        name, encoded, "handwritten", group=group, text=text, page=group, collection="mss19"
    )


def process(*more: RawSample) -> Collected:
    corpora = small_corpora(*more)
    return collect(corpora, collect_characters(corpora, PARAMETERS), PARAMETERS)


@pytest.fixture(scope="module")
def collected() -> Collected:
    return process()


def test_table_and_images_belong_together(collected: Collected) -> None:
    table, images_NHW = collected.table, collected.images_NHW
    assert len(table) == len(images_NHW)
    assert table["sample_id"].is_unique
    assert images_NHW.shape[1] == HEIGHT
    assert images_NHW.shape[2] == table["width_px"].max()
    for width, image_HW in zip(table["width_px"], images_NHW, strict=True):
        assert image_HW.any()
        assert not image_HW[:, width:].any()


def test_no_group_crosses_a_split(collected: Collected) -> None:
    real = collected.table[collected.table["corpus"].isin(["testaments", "french_hands"])]
    assert real.groupby(["collection", "group"])["split"].nunique().max() == 1
    for collection in ("testaments", "copiste", "mss19"):
        splits = real["split"][real["collection"].eq(collection)]
        assert set(splits) == {"train", "valid", "test"}


def test_one_hand_is_kept_for_adaptation_and_a_small_one_is_learnt_from(
    collected: Collected,
) -> None:
    splits = collected.table.groupby("collection")["split"].unique()
    assert splits["peraire"].tolist() == [ADAPTATION]
    assert splits["celestine"].tolist() == ["train"]
    assert "peraire" not in " ".join(collected.table["group"][collected.table["split"].eq("train")])


def test_made_lines_are_of_their_split(collected: Collected) -> None:
    made = collected.table[collected.table["collection"].isin(["fonts", "emnist_lines"])]
    counts = made.groupby(["collection", "split"]).size()
    for split, count in FEW.model_dump().items():
        assert counts["fonts", split] == counts["emnist_lines", split] == count


def test_texts_of_one_split_are_not_those_of_another(collected: Collected) -> None:
    texts = collected.texts
    assert set(texts["language"]) == {"uk", "fr"}
    ukrainian = texts[texts["language"].eq("uk")]
    assert ukrainian.groupby("text")["split"].nunique().max() == 1
    assert set(ukrainian["split"]) == {"train", "valid", "test"}


def test_what_cannot_be_learnt_from_is_dropped_and_counted() -> None:
    collected = process(
        *(line(f"u{n}", "un >< mot", group=f"u{n}") for n in range(12)),
        *(line(f"c{n}", "Ĵaŭdo ☺", group=f"c{n}") for n in range(12)),
        *(line(f"n{n}", FRENCH * 20, group=f"n{n}") for n in range(12)),
    )
    table, left_out = collected.table, collected.report["left_out"]
    added = table[table["group"].str.contains("mss19/[ucn]")]
    assert set(added["split"]) <= {"drop", "test"}
    dropped = added["split"].eq("drop").sum()
    assert dropped == sum(
        left_out[f"mss19/{reason}"]
        for reason in (
            "text is incomplete", "characters outside the charset", "too narrow for its text",
        )
    )  # fmt: skip
    assert added["split"].eq("test").any()
    assert collected.report["unknown_characters"]["☺"] == 12
    assert collected.report["marks"]["mss19/unreadable"] == 12
    assert "un mot" in set(added["text"])


def test_what_people_said_is_learnt_from_and_not_tested_on() -> None:
    corrections = [
        RawSample(f"{number:032}", draw_page("Щастя є!"), "handwritten", split="train", text=text)
        for number, text in enumerate(["Щастя є!", "Щастя\u00a0 є!", "", "Щастя є\u2603"])
    ]
    corpora = small_corpora() | {"feedback": lambda: iter(corrections)}
    table, _, texts, report = collect(corpora, collect_characters(corpora, PARAMETERS), PARAMETERS)
    feedback = table[table["corpus"].eq("feedback")]
    assert feedback["split"].tolist() == ["train", "train", "drop", "drop"]
    assert set(feedback["text"].iloc[:2]) == {"Щастя є!"}
    assert report["left_out"]["feedback/no text"] == 1
    assert report["left_out"]["feedback/characters outside the charset"] == 1
    assert not texts["corpus"].eq("feedback").any()


def test_a_blank_picture_stays_in_the_tests_as_one() -> None:
    blank = RawSample("blank", np.full((50, 400), 220, np.uint8), "handwritten", group="b",
                      text="nothing to see", collection="mss19")  # fmt: skip
    table = process(blank).table
    row = table[table["sample_id"].eq("french_hands/blank")].iloc[0]
    assert row["width_px"] == 0
    assert row["split"] in {"drop", "test"}


def test_a_corpus_of_broken_pictures_is_refused() -> None:
    broken = [line(f"b{n}", FRENCH, image=b"\x89PNG\r\n\x1a\nno") for n in range(20)]
    with pytest.raises(CorpusCorruptError, match="20 of"):
        process(*broken)


def test_characters_keep_their_splits() -> None:
    characters = collect_characters(small_corpora(), PARAMETERS)
    table: pd.DataFrame = characters.table
    assert len(table) == len(characters.images_NSS)
    assert table.groupby(["symbol", "split"]).size().max() <= PARAMETERS.characters_per_symbol
    assert set(table["split"]) == {"train", "valid", "test"}
    index = characters.of_split("train")
    assert index is not None
    thin, thick = index.places["emnist"]["м"][[0, -1]]
    strokes = [(index.images_NSS[place] > 100).sum() for place in (thin, thick)]
    assert strokes[0] < strokes[1]
