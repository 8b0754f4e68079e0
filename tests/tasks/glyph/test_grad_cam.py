"""The map that an exported recogniser gives, beside the one of captum."""

import dataclasses
import json
from collections import Counter
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pandas as pd
import pytest

from bukva.core.imaging.upscaling import encode_page
from bukva.tasks.glyph.answer import ANSWER_COLUMNS, EXPLANATION_COLUMNS, MAP_COLUMNS
from bukva.tasks.glyph.charset import CLASSES, LABELS
from bukva.tasks.glyph.evaluation.saliency import grad_cam, target_labels
from bukva.tasks.glyph.export import export_onnx
from bukva.tasks.glyph.golden import encode_png
from bukva.tasks.glyph.recogniser import Recogniser

MAP_SIDES = {"glyph_resnet": 7, "glyph_lean": 4, "peer_cnn": 7}


@pytest.fixture(scope="module", params=MAP_SIDES)
def model(make_model, request):
    return make_model(labels=CLASSES, network_name=request.param)


@pytest.fixture(scope="module")
def recogniser(model):
    return Recogniser(export_onnx(model, opset=20))


def captum_map(model, recogniser, images, pages):
    """Of the likeliest real label, which what is no symbol is not."""
    label_NK = recogniser.probabilities(images, pages).label_NK
    likeliest = [LABELS[index] for index in label_NK[:, : len(LABELS)].argmax(axis=1)]
    return grad_cam(model.to_network(), images, pages, target_labels(likeliest, CLASSES))


@pytest.mark.parametrize("batch", [1, 20])
@pytest.mark.parametrize("is_page_known", [True, False])
def test_the_exported_map_is_that_of_captum(model, recogniser, drawn_samples, batch, is_page_known):
    images, pages = drawn_samples.images_NHW[:batch], drawn_samples.page_NF[:batch].copy()
    if not is_page_known:
        pages[:] = np.nan
    found = recogniser.grad_cam(images, pages)
    expected = captum_map(model, recogniser, images, pages)
    side = MAP_SIDES[model.spec.network]
    assert found.shape == (batch, side, side)
    np.testing.assert_allclose(found, expected, atol=1e-4 * expected.max(), rtol=1e-4)
    assert expected.max() > 0


def test_the_default_network_has_the_map_of_captum(random_model, random_recogniser, drawn_samples):
    images, pages = drawn_samples.images_NHW[::7], drawn_samples.page_NF[::7]
    label_NK = random_recogniser.probabilities(images, pages).label_NK
    likeliest = [LABELS[index] for index in label_NK.argmax(axis=1)]
    expected = grad_cam(random_model.to_network(), images, pages, target_labels(likeliest, LABELS))
    found = random_recogniser.grad_cam(images, pages)
    np.testing.assert_allclose(found, expected, atol=1e-4 * expected.max(), rtol=1e-4)


@pytest.mark.parametrize("name", ["lenet", "mlp"])
def test_a_network_whose_map_cannot_be_written_out_has_none(make_model, drawn_samples, name):
    recogniser = Recogniser(export_onnx(make_model(labels=CLASSES, network_name=name), opset=20))
    assert recogniser.grad_cam(drawn_samples.images_NHW[:2], drawn_samples.page_NF[:2]) is None
    page = encode_png(drawn_samples.images_NHW[0])
    answer = recogniser.recognise(pd.Series([page]), pd.Series([True])).iloc[0]
    assert answer["symbol"] is not None
    assert answer[list(MAP_COLUMNS)].notna().tolist() == [False, True], "the frame has its place"


def test_the_map_is_computed_only_when_it_is_asked_for(random_onnx, drawn_samples, tmp_path):
    options = ort.SessionOptions()
    options.enable_profiling = True
    options.profile_file_prefix = str(tmp_path / "profile")
    session = ort.InferenceSession(random_onnx, options, providers=["CPUExecutionProvider"])
    feeds = {"images": drawn_samples.images_NHW[:1], "page": drawn_samples.page_NF[:1]}
    nothing = session.run(["grad_cam"], feeds)[0]
    assert nothing.size == 0
    assert session.run(["grad_cam"], feeds | {"explain": np.array(True)})[0].size == 49
    events = json.loads(Path(session.end_profiling()).read_text())
    executed = [event for event in events if event["name"].endswith("_kernel_time")]
    runs = Counter(event["name"] for event in executed)
    operators = {event["name"]: event["args"]["op_name"] for event in executed}
    once = [operators[name] for name, count in runs.items() if count == 1]
    twice = [operators[name] for name, count in runs.items() if count == 2]
    assert sum("Conv" in name for name in twice) == 6
    assert len(once) >= 5
    assert not any("Conv" in name for name in once)


def test_each_image_is_explained_as_it_is_asked_for(random_recogniser, drawn_samples):
    pages = pd.Series([encode_png(image) for image in drawn_samples.images_NHW[:3]] + [b"none"])
    asked = pd.Series([True, False, True, True])
    answers = random_recogniser.recognise(pages, asked)
    assert tuple(answers.columns) == (*ANSWER_COLUMNS, *EXPLANATION_COLUMNS)
    assert answers["grad_cam"].notna().tolist() == [True, False, True, False]
    assert answers["error"].tolist() == [None, None, None, "unsupported_format"]
    plain = random_recogniser.recognise(pages)
    assert tuple(plain.columns) == ANSWER_COLUMNS
    pd.testing.assert_series_equal(answers["symbol"], plain["symbol"])
    assert np.array(answers["grad_cam"][2]).shape == (7, 7)


def test_the_box_is_where_the_frame_lies_on_the_page(random_recogniser):
    page = np.full((200, 300), 255, dtype=np.uint8)
    page[60:140, 100:140] = 0  # 80 x 40 become 20 x 10 of 28
    encoded = encode_page(page)
    box = random_recogniser.recognise(pd.Series([encoded]), pd.Series([True]))["frame_box"][0]
    assert box["width"] * 300 == pytest.approx(28 * 4, abs=1)
    assert box["height"] * 200 == pytest.approx(28 * 4, abs=1)
    assert (box["left"] + box["width"] / 2) * 300 == pytest.approx(120, abs=4)
    assert (box["top"] + box["height"] / 2) * 200 == pytest.approx(100, abs=4)


def test_no_symbol_is_never_what_is_explained(make_model, drawn_samples):
    """Where it is the likeliest class, the likeliest label is explained all the same."""
    model = make_model(labels=CLASSES)
    bias = model.weights["label_head.bias"].copy()
    bias[CLASSES.index("∅")] += 30
    model = dataclasses.replace(model, weights={**model.weights, "label_head.bias": bias})
    recogniser = Recogniser(export_onnx(model, opset=20))
    images, pages = drawn_samples.images_NHW[:5], drawn_samples.page_NF[:5]
    assert recogniser.probabilities(images, pages).label_NK[:, -1].min() > 0.99
    expected = captum_map(model, recogniser, images, pages)
    np.testing.assert_allclose(recogniser.grad_cam(images, pages), expected, rtol=1e-4, atol=1e-5)
