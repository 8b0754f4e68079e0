import math

import pytest

from bukva.errors import ModelError, RequestError
from bukva.serving.model.contract import check_probe, read_map, read_row
from bukva.serving.problems import IMAGE_PROBLEMS

ROW = {
    "symbol": "Ґ",
    "label": "ґ",
    "case": "upper",
    "confidence": 0.9,
    "case_confidence": 0.8,
    "is_symbol": True,
    "symbol_confidence": 0.95,
    "alternatives": [{"symbol": "Ґ", "probability": 0.9}, {"symbol": "Г", "probability": 0.1}],
    "error": None,
    "error_detail": None,
}
NO_SYMBOL = {
    **ROW,
    **dict.fromkeys(["symbol", "label", "case", "confidence", "case_confidence"]),
    "is_symbol": False,
    "symbol_confidence": 0.02,
}
REFUSED = {**dict.fromkeys(ROW), "error": "unsupported_format", "error_detail": "Expected PNG."}


def test_row_becomes_a_recognition():
    recognition = read_row(ROW, top_k=1)
    assert recognition.symbol == "Ґ"
    assert [alternative.symbol for alternative in recognition.alternatives] == ["Ґ"]


def test_what_shows_no_symbol_has_none_but_alternatives():
    recognition = read_row(NO_SYMBOL, top_k=1)
    assert (recognition.symbol, recognition.label, recognition.case) == (None, None, None)
    assert not recognition.is_symbol
    assert [alternative.symbol for alternative in recognition.alternatives] == ["Ґ"]


@pytest.mark.parametrize("name", ["symbol", "label", "confidence"])
def test_a_symbol_is_named_where_there_is_one_and_only_there(name):
    with pytest.raises(ModelError, match=name):
        read_row({**NO_SYMBOL, name: ROW[name]}, top_k=1)
    with pytest.raises(ModelError, match=name):
        read_row({**ROW, name: None}, top_k=1)


def test_a_model_from_before_refusal_refuses_nothing():
    before = {key: ROW[key] for key in ROW if key not in ("is_symbol", "symbol_confidence")}
    recognition = read_row(before, top_k=1)
    assert (recognition.is_symbol, recognition.symbol_confidence) == (True, 1.0)


def test_columns_of_later_models_are_left_out():
    assert read_row({**ROW, "is_out_of_distribution": False}, top_k=5) == read_row(ROW, top_k=5)


@pytest.mark.parametrize("code", IMAGE_PROBLEMS)
def test_refusal_of_an_image_keeps_its_code(code):
    with pytest.raises(RequestError, match="Too odd") as caught:
        read_row({**REFUSED, "error": code, "error_detail": "Too odd."}, top_k=5)
    assert caught.value.code == code


def test_refusal_without_a_sentence_has_one():
    with pytest.raises(RequestError, match="format"):
        read_row({**REFUSED, "error_detail": None}, top_k=5)


@pytest.mark.parametrize(
    "change",
    [
        {"error": "other_code"},
        {"symbol": None},
        {"case": "title"},
        {"confidence": math.nan},
        {"confidence": math.inf},
        {"confidence": 1.1},
        {"confidence": -0.1},
        {"confidence": None},
        {"symbol_confidence": None},
        {"is_symbol": None},
        {"alternatives": None},
        {"alternatives": [{"symbol": "Ґ", "probability": math.nan}]},
        {"alternatives": [{"symbol": "Ґ"}]},
    ],
    ids=str,
)
def test_broken_promise_is_named(change):
    with pytest.raises(ModelError, match=next(iter(change))):
        read_row({**ROW, **change}, top_k=5)


def test_probe():
    check_probe([ROW, REFUSED])
    with pytest.raises(ModelError, match="read the probe"):
        check_probe([REFUSED, REFUSED])
    with pytest.raises(ModelError, match="refuse text"):
        check_probe([ROW, ROW])


BOX = {"left": -0.1, "top": 0.0, "width": 1.2, "height": 1.0}


def test_a_map_is_told_as_shares_of_its_most_telling_cell():
    box, cells = read_map({**ROW, "grad_cam": [[0.0, 2.0], [8.0, 4.0]], "frame_box": BOX})
    assert (box.left, box.width) == (-0.1, 1.2)
    assert cells == [[0.0, 0.25], [1.0, 0.5]]


def test_where_nothing_speaks_for_the_label_all_cells_are_zero():
    _, cells = read_map({**ROW, "grad_cam": [[0.0, 0.0]], "frame_box": BOX})
    assert cells == [[0.0, 0.0]]


@pytest.mark.parametrize("row", [ROW, {**ROW, "grad_cam": None, "frame_box": None}])
def test_a_row_may_have_no_map(row):
    assert read_map(row) is None


@pytest.mark.parametrize(
    "change",
    [
        {"grad_cam": [[-0.1, 1.0]]},
        {"grad_cam": [[math.nan, 1.0]]},
        {"grad_cam": [[math.inf, 1.0]]},
        {"grad_cam": [[1.0, 2.0], [3.0]]},
        {"grad_cam": []},
        {"grad_cam": "high"},
        {"grad_cam": [[[1.0]]]},
        {"frame_box": None},
        {"frame_box": {"left": 0.0}},
        {"frame_box": {**BOX, "width": math.inf}},
    ],
    ids=str,
)
def test_a_broken_map_is_named(change):
    with pytest.raises(ModelError, match="grad_cam"):
        read_map({**ROW, "grad_cam": [[0.5, 1.0]], "frame_box": BOX, **change})
