"""Drift is told from chance, and seen when it is there."""

import io
import random

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageFilter

from bukva.cli.released.manifest import ONNX, RELEASED
from bukva.core.imaging.decoding import decode_image
from bukva.serving.model import DriftMonitor
from bukva.tasks.glyph.preprocessing import preprocess
from bukva.tasks.glyph.recogniser import MEASURES, Recogniser
from bukva.tasks.glyph.reference import describe_reference
from bukva.tasks.glyph.strokes.writing import draw_symbol

ALARM = 0.25
REFERENCE = {
    "samples": 1000,
    "measures": {"ink_share": {"edges": [i / 10 for i in range(1, 10)], "shares": [0.1] * 10}},
    "labels": dict.fromkeys("абвгґдеєжзиіїйклмнопрстуфхцчшщьюя0123456789", 1 / 43),
}


def test_below_the_window_nothing_is_said():
    monitor = DriftMonitor(REFERENCE, window=200)
    for _ in range(199):
        monitor.add("а", {"ink_share": 0.5})
    assert monitor.index() == {}


def test_a_model_without_a_reference_has_no_drift():
    monitor = DriftMonitor({}, window=200)
    monitor.add("а", {})
    assert monitor.index() == {}


def test_chance_is_no_drift():
    """At most one of a hundred windows gives an alarm."""
    chance, labels = random.Random(1), list(REFERENCE["labels"])
    monitor, alarms = DriftMonitor(REFERENCE, window=500), 0
    for number in range(500 * 200):
        monitor.add(chance.choice(labels), {"ink_share": chance.random()})
        if number % 500 == 499:
            alarms += max(monitor.index().values()) >= ALARM
    assert alarms <= 2


def test_only_the_last_answers_count():
    monitor = DriftMonitor(REFERENCE, window=200)
    for _ in range(300):
        monitor.add("а", {"ink_share": 0.95})
    drifted = monitor.index()
    chance, labels = random.Random(1), list(REFERENCE["labels"])
    for _ in range(200):
        monitor.add(chance.choice(labels), {"ink_share": chance.random()})
    assert monitor.index()["ink_share"] < 0.15
    assert drifted["ink_share"] > 1


def test_refusals_are_a_class_of_their_own():
    monitor = DriftMonitor(REFERENCE, window=200)
    for _ in range(200):
        monitor.add(None, {"ink_share": None})
    assert set(monitor.index()) == {"label"}
    assert monitor.index()["label"] > 1


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    return Recogniser((RELEASED / ONNX).read_bytes())


def draw_all(rng, change=lambda image: image):
    """PNG files of 200 drawings, as somebody with this pen makes them."""
    pages = []
    for _ in range(3):
        for symbol in "абвгдежзиклмнопрстуфхцчшщьюяАБВГДЕЖЗИКЛМНОПРСТУФХЦЧШЩЮЯ0123456789":
            buffer = io.BytesIO()
            change(Image.fromarray(draw_symbol(symbol, rng))).save(buffer, "PNG")
            pages.append(buffer.getvalue())
    return pages


@pytest.fixture(scope="module")
def monitor_of(recogniser):
    """Makes a monitor whose reference is of such drawings."""
    glyphs = [preprocess(decode_image(page)) for page in draw_all(np.random.default_rng(1))]
    table = pd.DataFrame(
        {
            "split": "valid",
            "label": [str(number) for number in range(len(glyphs))],
            "is_uppercase": False,
            **dict(
                zip(
                    ["rel_height", "rel_width", "rel_center_x", "rel_center_y"],
                    np.array([glyph.page_F for glyph in glyphs]).T,
                    strict=True,
                )
            ),
        }
    )
    images = np.stack([glyph.image_HW for glyph in glyphs])
    reference = describe_reference(recogniser, table, images, per_symbol=1)
    return lambda: DriftMonitor(reference, window=180)


def add_all(monitor, recogniser, pages):
    for answer in recogniser.read(pages):
        confidence = answer.reading.confidence
        monitor.add(answer.reading.label, answer.measures | {"confidence": confidence})


@pytest.mark.parametrize(
    ("change", "measure"),
    [
        (lambda image: image.filter(ImageFilter.MinFilter(9)), "stroke_width_px"),
        (lambda image: image.resize((image.width, image.height // 2)), "aspect"),
        (lambda image: image.rotate(40, fillcolor=255), "confidence"),
    ],
    ids=["thick pen", "squashed", "turned"],
)
def test_another_way_of_drawing_raises_an_alarm(recogniser, monitor_of, change, measure):
    monitor = monitor_of()
    add_all(monitor, recogniser, draw_all(np.random.default_rng(2), change))
    assert monitor.index()[measure] >= ALARM


def test_the_same_way_of_drawing_does_not(recogniser, monitor_of):
    monitor = monitor_of()
    add_all(monitor, recogniser, draw_all(np.random.default_rng(3)))
    index = monitor.index()
    assert max(index[name] for name in [*MEASURES, "confidence"]) < ALARM
