"""Made lines: the same for the same seed, within their bounds, saying what they show."""

import pickle
import time

import numpy as np
import pandas as pd
import pytest

from bukva.core.fonts import HANDWRITING_FONTS, OpenFont
from bukva.errors import TableError
from bukva.tasks.line.charset import UKRAINIAN, UNION, least_timesteps
from bukva.tasks.line.font_lines import HELD_BACK, fonts_of, set_in_font
from bukva.tasks.line.framing import HEIGHT, MOST_WIDTH, STRIDE
from bukva.tasks.line.line_maker import NOTHING, LineMaker
from bukva.tasks.line.parameters import SynthesisParameters
from bukva.tasks.line.sentences import own_texts

PARAMETERS = SynthesisParameters()


def test_the_same_seed_gives_the_same_lines_in_another_process_too() -> None:
    maker = LineMaker(PARAMETERS)
    sent = pickle.loads(pickle.dumps(maker))
    images, texts = maker.draw(30, np.random.default_rng(3))
    again, texts_again = sent.draw(30, np.random.default_rng(3))
    assert texts == texts_again
    assert all(np.array_equal(one, other) for one, other in zip(images, again, strict=True))
    assert texts != maker.draw(30, np.random.default_rng(4))[1]


def test_lines_keep_to_the_frame_the_charset_and_their_length() -> None:
    parameters = SynthesisParameters(max_length=30, empty=0.2)
    images, texts = LineMaker(parameters).draw(200, np.random.default_rng(1))
    for ink_HW, text in zip(images, texts, strict=True):
        assert ink_HW.dtype == np.uint8
        assert ink_HW.shape[0] == HEIGHT
        assert ink_HW.shape[1] % STRIDE == 0
        assert 0 < ink_HW.shape[1] <= MOST_WIDTH
        assert len(text) <= 31
        assert text == text.strip()
        assert ink_HW.shape[1] // STRIDE >= 1.4 * least_timesteps(UNION.encode(text))
    assert not UNION.find_unknown(texts)
    assert any(text and ink_HW.any() for ink_HW, text in zip(images, texts, strict=True))
    assert 15 < texts.count("") < 80


def test_lines_can_be_of_one_language() -> None:
    parameters = SynthesisParameters(charset="ukrainian", languages={"uk": 1.0}, empty=0.0)
    _, texts = LineMaker(parameters).draw(100, np.random.default_rng(1))
    assert not UKRAINIAN.find_unknown(texts)
    with pytest.raises(TableError, match="'fr'"):
        LineMaker(SynthesisParameters(charset="ukrainian", languages={"fr": 1.0}))


def test_fonts_and_sentences_of_tests_are_not_learnt_from() -> None:
    train, test = (LineMaker(PARAMETERS, split=split) for split in ("train", "test"))
    _, _, learnt = train.draw_named(150, np.random.default_rng(1))
    _, _, tested = test.draw_named(150, np.random.default_rng(1))
    assert set(learnt) & set(tested) <= {NOTHING}
    assert {name.partition("/")[2] for name in tested} - {""} == set(HELD_BACK)
    assert len(fonts_of("train")) == 10
    for language, sentences in train.sentences.by_language.items():
        assert not set(sentences) & set(test.sentences.by_language[language])


@pytest.mark.parametrize("font", HANDWRITING_FONTS, ids=lambda font: font.name)
def test_every_font_sets_its_letters_and_leaves_out_what_it_lacks(font: OpenFont) -> None:
    ink_HW, said = set_in_font(
        "Ґудзик є, їжак \u0416\u4e2d № 5 à Œuvre", font, np.random.default_rng(1)
    )
    assert "\u4e2d" not in said
    assert said.casefold().replace("№ ", "").startswith("ґудзик є, їжак ж 5 à œ")
    assert (ink_HW > 200).any(axis=0).mean() > 0.3


def test_undamaged_lines_are_as_they_were_set() -> None:
    parameters = SynthesisParameters(
        strength=0.0, empty=0.0, photographed=0.0, languages={"uk": 1.0}
    )
    images, _ = LineMaker(parameters).draw(20, np.random.default_rng(1))
    for ink_HW in images:
        rows = np.flatnonzero((ink_HW > 60).any(axis=1))
        assert rows[0] >= 1
        assert rows[-1] <= HEIGHT - 2


def test_texts_of_another_split_are_not_taken() -> None:
    texts = pd.concat([own_texts(), pd.DataFrame(
        [("Лише для перевірки", "uk", "x", "test")], columns=list(own_texts().columns)
    )])  # fmt: skip
    maker = LineMaker(PARAMETERS, texts, split="train")
    assert ("Лише", "для", "перевірки") not in maker.sentences.by_language["uk"]


def test_a_core_makes_hundreds_of_lines_a_second() -> None:
    maker = LineMaker(PARAMETERS)
    rng = np.random.default_rng(1)
    maker.draw(1500, rng)
    start = time.perf_counter()
    maker.draw(200, rng)
    # A thousand on a quiet core (benchmarks/line_synthesis.py); here others may be at work.
    assert time.perf_counter() - start < 2.0
