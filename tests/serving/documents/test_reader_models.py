"""What a model in a process of its own must know before it is served."""

import base64
import json
import math

import pytest
from density_network import make_density_network
from document_pages import draw_page, encode_as
from ink_network import make_ink_network

from bukva.errors import ModelError, ModelFormatError
from bukva.serving.model import Dossier, DriftMonitor
from bukva.serving.reader_models import DocumentModel
from bukva.serving.reader_process import AskedReader
from bukva.serving.schemas import ServedModel

IDENTITY = ServedModel(name="bukva-document", version="1", alias="prod")
PAGE = encode_as(draw_page("handwritten", "printed"))


def make_model(golden: object = (), **differences: object) -> DocumentModel:
    recogniser = DocumentModel.open(make_density_network(**differences), deadline_s=20)
    dossier = Dossier(golden=json.dumps(golden).encode())
    return DocumentModel(IDENTITY, recogniser, "0" * 64, False, dossier, DriftMonitor({}, 200))


def golden(label):
    return [{"image": base64.b64encode(PAGE).decode(), "label": label}]


def test_a_sound_one_is_tried_out():
    make_model(golden("mixed")).try_out(deadline_s=20)


def test_one_whose_probabilities_are_none_is_refused():
    with pytest.raises(ModelError, match="read the probe"):
        make_model(temperature=math.nan).try_out(deadline_s=20)


def test_one_that_answers_otherwise_than_once_is_refused():
    with pytest.raises(ModelError, match="golden samples"):
        make_model(golden("printed")).try_out(deadline_s=20)


@pytest.mark.parametrize("samples", [{}, [{}], [{"image": "*"}], 5, "text"])
def test_golden_samples_that_cannot_be_read_are_refused(samples):
    with pytest.raises(ModelError, match="golden samples that can be read"):
        make_model(samples or [{}]).try_out(deadline_s=20)


def test_one_that_is_too_slow_is_refused():
    with pytest.raises(ModelError, match="an answer within 0 s"):
        make_model().try_out(deadline_s=0)


def test_a_model_of_another_task_is_refused():
    with pytest.raises(ModelFormatError, match="task `document`"):
        DocumentModel.open(make_ink_network(), deadline_s=20)
    with pytest.raises(ModelFormatError, match="task `document`"):
        DocumentModel.open(make_density_network(task="character"), deadline_s=20)


def test_a_bad_file_harms_no_other():
    asked = AskedReader(make_model().recogniser)
    first, bad, last = asked.predict([PAGE, b"text", PAGE])
    assert (first.answer.label, last.answer.label) == ("mixed", "mixed")
    assert (bad.answer.error, bad.count) == ("unsupported_format", 0)
    assert first.attached == b""


@pytest.mark.parametrize("method", ["grad_cam", "occlusion"])
def test_one_that_is_asked_why_draws_the_page(method):
    asked = AskedReader(make_model().recogniser, {"method": method})
    [read] = asked.predict([PAGE])
    assert read.attached.startswith(b"\x89PNG")
    assert read.answer.label == "mixed"
