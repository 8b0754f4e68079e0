"""What a model of lines must know before it is served, and how it is asked."""

import base64
import json
import math

import numpy as np
import pytest
from bar_network import draw_bars, make_bar_network
from density_network import make_density_network
from document_pages import encode_as

from bukva.errors import ModelError, ModelFormatError
from bukva.serving.model import Dossier, DriftMonitor
from bukva.serving.reader_models import LineModel
from bukva.serving.reader_process import AskedReader
from bukva.serving.schemas import ServedModel
from bukva.tasks.line.charset import UKRAINIAN

IDENTITY = ServedModel(name="bukva-line", version="1", alias="prod")
LINE = encode_as(draw_bars("її ої"))


def make_model(golden: object = (), **differences: object) -> LineModel:
    recogniser = LineModel.open(make_bar_network(**differences), deadline_s=20)
    dossier = Dossier(golden=json.dumps(golden).encode())
    return LineModel(IDENTITY, recogniser, "0" * 64, False, dossier, DriftMonitor({}, 200))


def golden(text):
    return [{"image": base64.b64encode(LINE).decode(), "text": text}]


def test_a_sound_one_is_tried_out():
    make_model(golden("її ої")).try_out(deadline_s=20)


def test_one_whose_probabilities_are_none_is_refused():
    with pytest.raises(ModelError):
        make_model(golden("її ої"), temperature=math.nan).try_out(deadline_s=20)


def test_one_that_reads_otherwise_than_once_is_refused():
    with pytest.raises(ModelError, match="golden samples"):
        make_model(golden("її ої"), turned=True).try_out(deadline_s=20)


def test_a_model_of_another_task_is_refused():
    for file in (make_density_network(), make_bar_network(task="document"), b"no model"):
        with pytest.raises(ModelFormatError):
            LineModel.open(file, deadline_s=20)


def test_a_bad_file_harms_no_other():
    asked = AskedReader(make_model().recogniser)
    first, bad, last = asked.predict([LINE, b"text", LINE])
    assert (first.answer.text, last.answer.text) == ("її ої", "її ої")
    assert (bad.answer.error, bad.width) == ("unsupported_format", 0)


def test_a_language_that_it_does_not_know_is_said():
    reader = make_model(charset=UKRAINIAN).recogniser
    [read] = AskedReader(reader, {"language": "fr"}).predict([LINE])
    assert read.answer.error == "method_unavailable"
    assert "reads uk" in read.answer.error_detail
    [read] = AskedReader(reader, {"language": "uk"}).predict([LINE])
    assert read.answer.text == "її ої"


def test_characters_of_another_language_are_left_out():
    reader = make_model().recogniser
    [read] = AskedReader(reader, {"language": "fr"}).predict([LINE])
    assert not set("їо") & set(read.answer.text)


@pytest.mark.parametrize("scale", [1, 3, 8])
def test_places_are_of_the_picture_that_was_sent(scale):
    """A large one is read at a smaller scale."""
    small = draw_bars("ї о ї о ї о ї", 60)
    large = small.resize((small.width * scale, small.height * scale))
    [read] = AskedReader(make_model().recogniser).predict([encode_as(large)])
    assert (read.width, read.height) == large.size
    assert read.answer.text == "ї о ї о ї о ї"
    ink_W = np.flatnonzero((np.asarray(small) < 128).any(axis=0))
    first, last = read.answer.words[0].box, read.answer.words[-1].box
    assert abs(first.left / scale - ink_W[0]) < 30
    assert abs((last.left + last.width) / scale - ink_W[-1]) < 30
