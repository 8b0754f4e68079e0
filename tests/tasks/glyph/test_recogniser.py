import base64
import copy
import io
import json

import numpy as np
import onnx
import pandas as pd
import pytest
from PIL import Image

from bukva.core.imaging.decoding import decode_image, to_grey
from bukva.core.predictor import SPEC_KEY
from bukva.errors import ModelFormatError
from bukva.tasks.glyph.answer import ANSWER_COLUMNS, to_answers
from bukva.tasks.glyph.charset import SYMBOLS
from bukva.tasks.glyph.preprocessing import preprocess
from bukva.tasks.glyph.recogniser import MEASURES, TOP_K, Recogniser


def to_png(pixels):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def pages(drawn_pages):
    return pd.Series([to_png(page.image) for page in drawn_pages[::19]])


def test_pages_are_answered_one_row_each(random_recogniser, pages):
    answers = random_recogniser.recognise(pages)
    assert tuple(answers.columns) == ANSWER_COLUMNS
    assert len(answers) == len(pages)
    assert answers["symbol"].isin(list(SYMBOLS)).all()
    # Random weights still tell one page from another.
    assert answers["confidence"].nunique() == len(pages)
    assert answers["symbol"].nunique() > 3
    assert answers["confidence"].between(0, 1).all()
    assert answers["error"].isna().all()
    assert (answers["alternatives"].map(len) == TOP_K).all()


def test_an_answer_is_preprocessing_network_and_words_in_a_row(random_recogniser, pages):
    glyph = preprocess(to_grey(decode_image(pages[3])))
    found = random_recogniser.probabilities(glyph.image_HW[None], glyph.page_F[None])
    expected = to_answers(found.label_NK, found.uppercase_N, random_recogniser.labels, top_k=TOP_K)
    answer = random_recogniser.recognise(pages[3:4]).iloc[0].to_dict()
    assert [answer["symbol"]] == expected["symbol"]
    assert [answer["case"]] == expected["case"]
    assert [answer["confidence"]] == pytest.approx(expected["confidence"], abs=1e-6)


def test_an_answer_tells_what_the_network_saw(random_recogniser, pages):
    answer = random_recogniser.recognise(pages[3:4]).iloc[0]
    glyph = preprocess(to_grey(decode_image(pages[3])))
    assert "frame" not in answer  # only an explanation shows it
    frames = random_recogniser.recognise(pages[3:5], pd.Series([True, False]))["frame"]
    assert base64.b64decode(frames.iloc[0]) == glyph.image_HW.tobytes()
    assert frames.iloc[1] is None
    assert tuple(answer["measures"]) == MEASURES
    assert answer["measures"]["ink_share"] == pytest.approx(glyph.image_HW.mean() / 255)
    assert answer["measures"]["height"] == pytest.approx(glyph.page_F[0])


def test_a_crop_has_no_height_on_its_page(random_recogniser):
    crop = np.full((20, 20), 255, dtype=np.uint8)
    crop[0, :] = crop[:, 0] = crop[19, :] = 0
    answer = random_recogniser.recognise(pd.Series([to_png(crop)])).iloc[0]
    assert answer["measures"]["height"] is None


def test_rows_keep_the_index_they_came_with(random_recogniser, pages):
    turned = pages[::-1].set_axis([f"row {i}" for i in range(len(pages))])
    answers = random_recogniser.recognise(turned)
    assert list(answers.index) == list(turned.index)
    expected = random_recogniser.recognise(pages)["symbol"].tolist()[::-1]
    assert answers["symbol"].tolist() == expected


BAD = {
    "empty_image": to_png(np.full((40, 40), 255, dtype=np.uint8)),
    "unsupported_format": b"GIF89a",
    "undecodable_image": b"\x89PNG\r\n\x1a\n and no more",
    "image_too_large": to_png(np.zeros((1, 12_001), dtype=np.uint8)),
}


@pytest.mark.parametrize("place", [0, 3, 8])
@pytest.mark.parametrize("code", BAD)
def test_a_bad_image_gets_its_code_and_harms_no_other(random_recogniser, pages, code, place):
    mixed = [*pages[:place], BAD[code], *pages[place:]]
    answers = random_recogniser.recognise(pd.Series(mixed))
    assert answers.loc[place, "error"] == code
    assert answers.loc[place, "error_detail"].startswith("Expected")
    assert answers.loc[place, "symbol"] is None
    assert answers.loc[place, "confidence"] is None
    good = answers.drop(index=place).reset_index(drop=True)
    expected = random_recogniser.recognise(pages)
    # onnxruntime sums in another order for another size of batch.
    assert good["confidence"].tolist() == pytest.approx(expected["confidence"].tolist(), rel=1e-4)
    assert good["symbol"].tolist() == expected["symbol"].tolist()


@pytest.mark.parametrize("value", [None, np.nan, "aGVsbG8=", 7])
def test_a_cell_that_holds_no_bytes_is_refused_alone(random_recogniser, pages, value):
    answers = random_recogniser.recognise(pd.Series([value, pages[0]], dtype=object))
    assert answers["error"].tolist() == ["undecodable_image", None]
    assert "Expected the bytes of an image file" in answers["error_detail"][0]


def test_bad_images_alone_are_all_refused(random_recogniser):
    assert random_recogniser.recognise(pd.Series(BAD))["error"].to_dict() == {k: k for k in BAD}


def test_no_image_gives_no_row(random_recogniser):
    answers = random_recogniser.recognise(pd.Series([], dtype=object))
    assert answers.empty
    assert tuple(answers.columns) == ANSWER_COLUMNS


def test_a_copy_is_the_recogniser_itself(random_recogniser):
    assert copy.deepcopy({"catalog": [random_recogniser]})["catalog"][0] is random_recogniser


def test_the_digest_is_of_the_file(random_recogniser, random_onnx):
    assert random_recogniser.sha256 == Recogniser(random_onnx).sha256
    assert random_recogniser.onnx_model == random_onnx


def with_spec(onnx_model, spec):
    proto = onnx.load_model_from_string(onnx_model)
    del proto.metadata_props[:]
    if spec is not None:
        onnx.helper.set_model_props(proto, {SPEC_KEY: spec})
    return proto.SerializeToString()


def break_spec(spec, change):
    return {
        "without": None,
        "no JSON": "{",
        "a list": "[]",
        "no labels": json.dumps({key: spec[key] for key in spec if key != "labels"}),
        "other constants": json.dumps(spec | {"preprocessing": {"frame_cm": 3}}),
    }[change]


@pytest.mark.parametrize("change", ["without", "no JSON", "a list", "no labels", "other constants"])
def test_an_onnx_file_without_our_specification_is_refused(random_recogniser, random_onnx, change):
    broken = with_spec(random_onnx, break_spec(random_recogniser.spec, change))
    with pytest.raises(ModelFormatError, match=SPEC_KEY):
        Recogniser(broken)


@pytest.mark.parametrize("kept", [0, 100, 10_000])
def test_a_broken_onnx_file_is_refused(random_onnx, kept):
    with pytest.raises(ModelFormatError, match="packaging"):
        Recogniser(random_onnx[:kept])


def test_more_images_than_a_batch_are_answered_in_order(random_recogniser, pages, monkeypatch):
    glyphs = [preprocess(to_grey(decode_image(page))) for page in pages[:7]]
    images_NHW = np.stack([glyph.image_HW for glyph in glyphs])
    page_NF = np.stack([glyph.page_F for glyph in glyphs])
    whole = random_recogniser.probabilities(images_NHW, page_NF)
    monkeypatch.setattr("bukva.core.predictor._BATCH_SIZE", 3)
    parts = random_recogniser.probabilities(images_NHW, page_NF)
    np.testing.assert_allclose(parts.label_NK, whole.label_NK, atol=1e-6)
    np.testing.assert_allclose(parts.uppercase_N, whole.uppercase_N, atol=1e-6)
