import io

import numpy as np
import pytest
from PIL import Image

from bukva.core.samples import RawSample
from bukva.errors import CorpusCorruptError, CorpusMissingError
from bukva.tasks.glyph.collection import collect_samples
from bukva.tasks.glyph.preprocessing import PAGE_FEATURES, preprocess


def to_png(pixels):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


BLANK = np.full((40, 40), 255, dtype=np.uint8)


@pytest.fixture
def good(drawn_pages):
    return drawn_pages[:40]


def test_every_sample_becomes_a_row_and_an_image(good):
    table, images, rejected, _ = collect_samples({"strokes": lambda: iter(good)}, {}, 0.0)
    assert len(table) == len(images) == len(good)
    assert rejected.empty
    assert list(rejected.columns) == ["corpus", "name", "reason"]
    assert images.dtype == np.uint8
    for row, image, sample in zip(table.itertuples(), images, good, strict=True):
        glyph = preprocess(sample.image)
        assert row.sample_id == f"strokes/{sample.name}"
        assert (row.corpus, row.name, row.label) == ("strokes", sample.name, sample.label)
        np.testing.assert_array_equal(image, glyph.image_HW)
        features = [getattr(row, name) for name in PAGE_FEATURES]
        np.testing.assert_array_equal(np.array(features, np.float32), glyph.page_F)


def test_case_group_and_split_are_kept_and_may_be_unknown():
    page = BLANK.copy()
    page[10:30, 18:22] = 0
    samples = [
        RawSample("a", page, "і", True, group="writer 1", split="test"),
        RawSample("b", page, "1"),
    ]
    table = collect_samples({"toy": lambda: iter(samples)}, {}, 0.0).table
    assert table["is_uppercase"].dtype == "boolean"
    assert table["is_uppercase"].isna().tolist() == [False, True]
    assert table["group"].isna().tolist() == [False, True]
    assert table["own_split"].tolist()[0] == "test"
    # The same pixels have the same digest, whatever they are said to be.
    assert table["sha256"].nunique() == 1


def test_pixels_and_their_file_are_one_sample(good):
    sample = good[0]
    file = RawSample(sample.name, to_png(sample.image), sample.label, sample.is_uppercase)
    table, images, *_ = collect_samples({"a": lambda: [sample], "b": lambda: [file]}, {}, 0.0)
    assert table["sha256"].nunique() == 1
    np.testing.assert_array_equal(images[0], images[1])


def test_an_unusable_image_is_named_and_the_run_goes_on(good):
    bad = [
        RawSample("empty.png", to_png(BLANK), "а"),
        RawSample("cut.png", to_png(good[0].image)[:60], "а"),
        RawSample("notes.txt", b"no image", "а"),
        RawSample("white", BLANK, "а"),
    ]
    mixed = [*good[:10], *bad, *good[10:]]
    table, images, rejected, _ = collect_samples({"toy": lambda: iter(mixed)}, {}, 0.1)
    assert table["name"].tolist() == [sample.name for sample in good]
    assert len(images) == len(good)
    assert rejected["corpus"].unique().tolist() == ["toy"]
    assert rejected["name"].tolist() == [sample.name for sample in bad]
    for reason, expected in zip(
        rejected["reason"], ["is empty", "broken one", "PNG, JPEG, WEBP", "is empty"], strict=True
    ):
        assert expected in reason


@pytest.mark.parametrize(("allowed", "is_stopped"), [(0.05, False), (0.049, True), (0.0, True)])
def test_more_unusable_images_than_allowed_stop_the_run(good, allowed, is_stopped):
    samples = [*good[:38], RawSample("one", BLANK, "а"), RawSample("two", b"", "а")]
    corpora = {"fine": lambda: iter(good), "toy": lambda: iter(samples)}
    if not is_stopped:
        assert len(collect_samples(corpora, {}, allowed).rejected) == 2
        return
    with pytest.raises(CorpusCorruptError) as refusal:
        collect_samples(corpora, {}, allowed)
    for part in ("corpus toy", "2 unusable of 40", "one: ", "two: ", "max_corrupt_share"):
        assert part in str(refusal.value)
    assert "fine" not in str(refusal.value)


def test_only_a_few_examples_are_named():
    bad = [RawSample(f"page {index}", BLANK, "а") for index in range(50)]
    with pytest.raises(CorpusCorruptError) as refusal:
        collect_samples({"toy": lambda: iter(bad)}, {}, 0.01)
    assert "page 4: " in str(refusal.value)
    assert "page 5: " not in str(refusal.value)


@pytest.mark.parametrize("samples", [[], [RawSample("one", BLANK, "а")]], ids=["none", "all bad"])
def test_a_corpus_without_a_usable_image_stops_the_run_at_any_share(good, samples):
    with pytest.raises(CorpusCorruptError, match="corpus toy"):
        collect_samples({"fine": lambda: iter(good), "toy": lambda: iter(samples)}, {}, 1.0)


def test_no_corpus_at_all_says_where_to_name_one():
    with pytest.raises(CorpusMissingError, match=r"conf/<env>/globals\.yml"):
        collect_samples({}, {}, 0.01)


def test_samples_of_the_published_split_are_marked_in_their_corpus_only(good):
    corpora = {"a": lambda: iter(good), "b": lambda: iter(good)}
    published = {"a": frozenset([good[2].name, good[5].name, "not there"])}
    table = collect_samples(corpora, published, 0.0).table
    marked = table.loc[table["is_published"], "sample_id"].tolist()
    assert marked == [f"a/{good[2].name}", f"a/{good[5].name}"]


def test_one_corpus_is_read_after_another(good):
    order = []

    def read(name):
        order.append(name)
        yield from good[:1]

    collect_samples({"b": lambda: read("b"), "a": lambda: read("a")}, {}, 0.0)
    assert order == ["b", "a"]


def test_the_first_of_each_symbol_of_each_corpus_is_kept_as_it_was_found(good):
    wide = np.full((100, 300), 255, dtype=np.uint8)
    wide[20:80, 140:160] = 0
    samples = [RawSample("wide", wide, "1"), RawSample("other", good[0].image, "1")]
    corpora = {"strokes": lambda: iter(good), "toy": lambda: iter(samples)}
    collection = collect_samples(corpora, {}, 0.0)
    table = collection.table
    first = table.drop_duplicates(["corpus", "label", "is_uppercase"])["sample_id"].tolist()
    assert collection.raw["sample_id"].tolist() == first
    small = [Image.open(io.BytesIO(image)) for image in collection.raw["image"]]
    assert small[-1].size == (96, 32)
    assert all(max(image.size) <= 96 for image in small)
