import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bukva.tasks.glyph.answer import EITHER_BELOW, READING_COLUMNS, sigmoid, softmax, to_answers
from bukva.tasks.glyph.charset import CLASSES, DISTINCT_FORM, LABELS, LETTERS, from_symbol

logits = arrays(np.float32, (3, 43), elements=st.floats(-1000, 1000, width=32))


def probabilities(**by_label):
    values = np.zeros(len(LABELS), dtype=np.float32)
    for label, probability in by_label.items():
        values[LABELS.index(label.removeprefix("d"))] = probability
    return values


def to_answer(class_C, uppercase, classes, **settings):
    """The answer for one image, as a row."""
    uppercase_N = np.array([uppercase], dtype=np.float64)
    columns = to_answers(np.asarray(class_C)[None], uppercase_N, classes, **settings)
    return {name: value for name, [value] in columns.items()}


def answer(uppercase, top_k=5, **by_label):
    return to_answer(probabilities(**by_label), uppercase, LABELS, top_k=top_k)


@given(logits)
def test_softmax_gives_probabilities(values):
    found = softmax(values)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(found[range(3), values.argmax(1)], found.max(1))


@given(logits, st.floats(-100, 100, width=32))
def test_softmax_does_not_see_what_all_logits_share(values, shift):
    np.testing.assert_allclose(softmax(values + np.float32(shift)), softmax(values), atol=2e-4)


def test_softmax_and_sigmoid_by_hand():
    np.testing.assert_allclose(
        softmax(np.log(np.array([[1, 2, 5]], np.float32))), [[0.125, 0.25, 0.625]], rtol=1e-6
    )
    np.testing.assert_allclose(
        sigmoid(np.array([0, math.log(3), -math.log(3)], np.float32)), [0.5, 0.75, 0.25], rtol=1e-6
    )


@pytest.mark.filterwarnings("error")
def test_extreme_logits_give_certainty_without_a_warning():
    np.testing.assert_array_equal(sigmoid(np.array([-1e4, 1e4], np.float32)), [0, 1])
    np.testing.assert_array_equal(softmax(np.array([[-1e30, 1e30]], np.float32)), [[0, 1]])


def test_a_digit_has_no_case():
    found = answer(0.9, d7=0.75, ґ=0.25)
    assert tuple(found) == READING_COLUMNS
    assert (found["symbol"], found["label"], found["confidence"]) == ("7", "7", 0.75)
    assert found["case"] is found["case_confidence"] is None


@pytest.mark.parametrize(
    ("uppercase", "symbol", "case", "confidence"),
    [(0.9, "Ґ", "upper", 0.9), (0.1, "ґ", "lower", 0.9), (1.0, "Ґ", "upper", 1.0)],
)
def test_a_letter_has_a_case(uppercase, symbol, case, confidence):
    found = answer(uppercase, ґ=0.5, а=0.25, d1=0.25)
    assert (found["symbol"], found["label"], found["case"]) == (symbol, "ґ", case)
    assert found["case_confidence"] == pytest.approx(confidence)


@pytest.mark.parametrize("uppercase", [EITHER_BELOW - 0.001, 0.5, 1.001 - EITHER_BELOW])
def test_a_letter_of_one_form_may_be_either(uppercase):
    assert answer(uppercase, о=1.0)["case"] == "either"
    assert answer(uppercase, а=1.0)["case"] == ("upper" if uppercase >= 0.5 else "lower")


@given(st.sampled_from(LETTERS), st.floats(0, 1))
def test_case_symbol_and_confidence_agree(letter, uppercase):
    found = answer(uppercase, **{letter: 1.0})
    _, is_uppercase = from_symbol(found["symbol"])
    assert is_uppercase == (uppercase >= 0.5)
    assert 0.5 <= found["case_confidence"] <= 1
    assert found["case"] in ("upper", "lower", "either")
    if found["case"] == "either":
        assert letter not in DISTINCT_FORM
        assert found["case_confidence"] < EITHER_BELOW
    else:
        assert (found["case"] == "upper") == is_uppercase


@given(logits, st.floats(0, 1), st.integers(1, 76))
def test_alternatives_are_the_likeliest_symbols_best_first(values, uppercase, top_k):
    labels_K = softmax(values)[0]
    found = to_answer(labels_K, uppercase, LABELS, top_k=top_k)["alternatives"]
    shares = [item["probability"] for item in found]
    assert len(found) == len({item["symbol"] for item in found}) == top_k
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) <= 1 + 5e-5
    if top_k == 76:
        assert sum(shares) == pytest.approx(1, abs=5e-5)
    everything = to_answer(labels_K, uppercase, LABELS, top_k=76)["alternatives"]
    assert shares == [item["probability"] for item in everything][:top_k]


def test_a_whole_digit_stands_before_the_halves_of_a_likelier_letter():
    found = answer(0.5, top_k=2, о=0.45, с=0.30, d0=0.25)["alternatives"]
    assert [item["symbol"] for item in found] == ["0", "О"]


def test_a_letters_probability_is_shared_out_over_its_cases():
    shares = {a["symbol"]: a["probability"] for a in answer(0.25, ж=0.8, d5=0.2)["alternatives"]}
    assert shares["ж"] == pytest.approx(0.6)
    assert shares["Ж"] == pytest.approx(0.2)
    assert shares["5"] == pytest.approx(0.2)


@given(st.floats(0, 1, width=32))
def test_probabilities_are_free_of_the_noise_of_float32(value):
    """A softmax may answer 1.0000001."""
    found = answer(1.0, д=np.float32(value * (1 + 1.2e-7)))
    shares = [found["confidence"], *(item["probability"] for item in found["alternatives"])]
    assert all(0 <= share <= 1 and share == round(share, 6) for share in shares)


def answer_with_rest(threshold, **by_label):
    """Answer of a model that also knows what is no symbol; that gets the rest."""
    labels_K = probabilities(**by_label)
    classes_C = np.append(labels_K, 1 - labels_K.sum()).astype(np.float32)
    return to_answer(classes_C, 0.1, CLASSES, top_k=3, symbol_threshold=threshold)


def test_labels_share_what_is_left_when_it_is_a_symbol():
    found = answer_with_rest(0.5, а=0.6, о=0.2)
    assert found["is_symbol"]
    assert found["symbol"] == "а"
    assert found["symbol_confidence"] == pytest.approx(0.8)
    assert found["confidence"] == pytest.approx(0.75)


def test_below_the_threshold_nothing_is_named_but_alternatives():
    found = answer_with_rest(0.9, а=0.6, о=0.2)
    named = ("symbol", "label", "case", "confidence", "case_confidence")
    assert [found[name] for name in named] == [None] * 5
    assert not found["is_symbol"]
    assert found["symbol_confidence"] == pytest.approx(0.8)
    assert found["alternatives"][0]["symbol"] == "а"
    assert found["alternatives"][0]["probability"] == pytest.approx(0.675)


def test_no_symbol_is_never_an_answer_or_an_alternative():
    found = answer_with_rest(0.0, а=0.001)
    assert found["symbol"] == "а"
    assert "∅" not in {item["symbol"] for item in found["alternatives"]}


def test_a_model_without_that_class_refuses_nothing():
    found = to_answer(probabilities(а=0.3, о=0.7), 0.1, LABELS, top_k=3, symbol_threshold=0.9)
    assert (found["is_symbol"], found["symbol_confidence"]) == (True, pytest.approx(1.0))


@given(logits, st.lists(st.floats(0, 1), min_size=3, max_size=3))
def test_many_images_are_answered_as_each_alone(values, uppercase):
    labels_NK, uppercase_N = softmax(values), np.array(uppercase)
    together = to_answers(labels_NK, uppercase_N, LABELS, top_k=5, symbol_threshold=0.3)
    for place in range(3):
        alone = to_answer(
            labels_NK[place], uppercase_N[place], LABELS, top_k=5, symbol_threshold=0.3
        )
        assert {name: column[place] for name, column in together.items()} == alone
