"""What people say that their lines say: kept, once, delivered, deleted, and learnt from."""

import base64
import io
import json
import unicodedata
import uuid

import numpy as np
import pytest
from bar_network import draw_bars
from document_pages import encode_as
from feedback_requests import KEY, give, stored
from PIL import Image
from serving_requests import base64_text
from serving_servers import wait_for

from bukva.datasets.feedback import CorrectionsDataset, LineCorrectionsDataset
from bukva.tasks.line.feedback import read_line_corrections

LINE = draw_bars("її ої")
TEXT = "Її ої, й «це» теж"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "feedback"


@pytest.fixture
def feedback(serve, folder, tmp_path):
    """The service without a model: corrections need none."""
    with serve(feedback_folder=folder, tracking_uri=f"sqlite:///{tmp_path / 'none.db'}") as server:
        yield server


def correct(server, text=TEXT, image=None, key=KEY, **fields):
    file = encode_as(LINE) if image is None else image
    form = {"image": base64_text(file), "text": text, "consent": True, **fields}
    headers = {"Idempotency-Key": key}
    return server.http.post("/v1/lines/feedback", json=form, headers=headers)


def read_files(folder):
    paths = list(folder.rglob("*.json"))
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def test_a_line_is_kept_with_what_was_answered(feedback, folder):
    answer = correct(feedback, answer="її ої")
    assert answer.status_code == 201
    [record] = stored(folder)
    assert record["id"] == answer.json()["id"]
    assert (record["task"], record["text"], record["answer"]) == ("line", TEXT, "її ої")
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(record["image"]))))
    assert (pixels == np.asarray(LINE)).all()


def test_the_same_line_is_kept_once_and_a_key_is_for_one(feedback, folder):
    names = {correct(feedback).json()["id"] for _ in range(3)}
    assert len(names) == len(stored(folder)) == 1
    assert correct(feedback, "інше").json()["code"] == "key_reused"
    assert give(feedback).json()["code"] == "key_reused"  # a drawing, with the same key


def test_a_text_comes_composed_and_may_be_empty(feedback, folder):
    apart = unicodedata.normalize("NFD", "її й")
    assert correct(feedback, apart).status_code == 201
    assert correct(feedback, "", key=uuid.uuid4().hex).status_code == 201
    assert sorted(record["text"] for record in stored(folder)) == ["", "її й"]


@pytest.mark.parametrize(
    "fields",
    [{"consent": False}, {"text": "а" * 301}, {"text": "a\nb"}, {"text": "a\x00"}, {"text": 5},
     {"symbol": "Г"}, {"answer": "a\tb"}],
)  # fmt: skip
def test_what_is_no_correction_of_a_line_is_refused(feedback, folder, fields):
    answer = correct(feedback, **({"text": TEXT} | fields))
    assert answer.json()["code"] == "invalid_request"
    assert "at most 300 characters" in answer.json()["detail"]
    assert correct(feedback, image=b"text").json()["code"] == "unsupported_format"
    assert correct(feedback, key="short").json()["code"] == "invalid_key"
    assert stored(folder) == []


def test_it_is_deleted_by_its_id(feedback, folder):
    name = correct(feedback).json()["id"]
    assert feedback.http.get(f"/v1/lines/feedback/{name}").status_code == 405
    assert feedback.http.delete(f"/v1/lines/feedback/{name}").status_code == 204
    assert stored(folder) == []
    assert feedback.http.delete(f"/v1/lines/feedback/{name}").json()["code"] == "unknown_feedback"


def test_a_long_line_keeps_its_width_and_a_large_photo_does_not(feedback, folder):
    long = draw_bars("ї" * 40)
    assert long.width > 1000
    correct(feedback, image=encode_as(long))
    [record] = stored(folder)
    image = Image.open(io.BytesIO(base64.b64decode(record["image"])))
    assert image.size == long.size
    large = encode_as(LINE.resize((4000, 1000)), "JPEG")
    correct(feedback, image=large, key=uuid.uuid4().hex)
    widths = {
        Image.open(io.BytesIO(base64.b64decode(each["image"]))).width for each in stored(folder)
    }
    assert max(widths) <= 2048


def test_it_is_delivered_and_its_receipt_does_not_tell_what_was_written(serve, folder, tmp_path):
    target = tmp_path / "target"
    places = {"feedback_folder": folder, "feedback_url": str(target), "feedback_retry_s": 0.05}
    with serve(tracking_uri=f"sqlite:///{tmp_path / 'none.db'}", **places) as server:
        name = correct(server, answer="її ої").json()["id"]
        wait_for(lambda: len(read_files(target)) == 1)
        wait_for(lambda: not stored(folder))
        [receipt] = stored(folder / "sent")
        assert TEXT not in json.dumps(receipt, ensure_ascii=False)
        assert (receipt["text"], receipt["answer"], receipt["image"]) == ("", None, None)
        corpora = LineCorrectionsDataset(folder=str(folder), delivered=str(target)).load()
        [sample] = corpora["feedback"]()
        assert (sample.name, sample.text, sample.split) == (name, TEXT, "train")
        assert server.http.delete(f"/v1/lines/feedback/{name}").status_code == 204
        wait_for(lambda: not read_files(target))


def test_lines_and_drawings_are_learnt_from_each_by_its_task(feedback, folder):
    """They lie in one folder, beside what is neither."""
    correct(feedback, key=uuid.uuid4().hex)
    give(feedback)
    (folder / "odd.json").write_text("{}")
    (folder / "torn.json").write_text('{"task": "line", "text": "a"}')
    [sample] = read_line_corrections(read_files(folder))
    assert (sample.text, sample.label, sample.split) == (TEXT, "handwritten", "train")
    assert np.asarray(Image.open(io.BytesIO(sample.image))).shape == LINE.size[::-1]
    found = CorrectionsDataset(folder=str(folder)).load()
    assert [each.symbol for each in found.corrections] == ["Г"]
    assert [each["file"] for each in found.unusable] == ["odd.json"]


def test_where_lines_are_not_served_none_are_kept(serve, folder):
    with serve(feedback_folder=folder, tasks=("glyph", "document")) as server:
        assert correct(server).json()["code"] == "not_found"
        assert server.http.get("/lines").status_code == 404
