"""From texts that were found to words: what they share, what else may stand there, how surely."""

import numpy as np
import pytest

from bukva.tasks.line.charset import UKRAINIAN
from bukva.tasks.line.confidence import Sureness, describe, fit_sureness
from bukva.tasks.line.decoding import Search, search
from bukva.tasks.line.framing import STRIDE, FramedLine, frame_line
from bukva.tasks.line.wording import Reading, spell, to_answer

STEPS = 40


def read(text: str, doubts: dict[int, dict[str, float]]) -> Reading:
    """Return the reading of a text that is seen every third step, some of it in doubt."""
    chances_TK = np.full((STEPS, len(UKRAINIAN)), 1e-6)
    chances_TK[:, 0] = 1.0
    for place, character in enumerate(text):
        step = 3 * place + 2
        chances_TK[step] = 1e-6
        chances_TK[step, UKRAINIAN.encode(character)] = 1.0
        for other, chance in doubts.get(place, {}).items():
            chances_TK[step, UKRAINIAN.encode(other)] = chance
    log_TK = np.log(chances_TK / chances_TK.sum(axis=1, keepdims=True)).astype(np.float32)
    return Reading(UKRAINIAN, log_TK, tuple(search(log_TK, Search(beam=8), None)))


def test_words_are_what_stands_between_spaces() -> None:
    first, second = spell(read("де ти", {}))
    assert (first.text, second.text) == ("де", "ти")
    assert first.share == pytest.approx(1, abs=1e-3)
    assert [each.chance for each in first.characters] == pytest.approx([1, 1], abs=1e-3)


def test_characters_share_the_line_without_gaps() -> None:
    [word] = spell(read("слово", {}))
    for before, after in zip(word.characters, word.characters[1:], strict=False):
        assert before.right == after.left
        assert after.right - after.left == pytest.approx(3)
    assert word.characters[0].left == pytest.approx(1)


def test_what_else_was_found_is_told_of_the_word_in_doubt_alone() -> None:
    reading = read("дим іде", {1: {"о": 0.6, "у": 0.2}})
    first, second = spell(reading)
    assert first.share < 0.7 < second.share
    assert max(first.others, key=lambda word: first.others[word]) == "дом"
    answer = to_answer(reading, FramedLine(np.zeros((48, 160), np.uint8), np.eye(2, 3), 160),
                       Sureness(), Sureness())  # fmt: skip
    assert [each.text for each in answer.words[0].alternatives][:2] == ["дом", "дум"]
    assert [each.text for each in answer.words[0].characters[1].alternatives] == ["о", "у"]
    assert not answer.words[1].alternatives
    assert answer.words[0].confidence < answer.words[1].confidence
    assert answer.text == "дим іде"


@pytest.mark.parametrize("scale", [1, 2])
def test_boxes_lie_on_the_picture_that_was_sent(scale: int) -> None:
    page_HW = np.full((80 * scale, 400 * scale), 225, np.uint8)
    for left in (60, 300):
        page_HW[20 * scale : 60 * scale, left * scale : (left + 6) * scale] = 40
    framed = frame_line(page_HW)
    first, second = np.flatnonzero(np.diff(framed.ink_hw.any(axis=0).astype(int)) == 1) // STRIDE
    chances_TK = np.full((framed.ink_hw.shape[1] // STRIDE, len(UKRAINIAN)), 1e-6)
    chances_TK[:, 0] = 1
    chances_TK[[first, second]] = 1e-6
    chances_TK[first, UKRAINIAN.encode("і")] = chances_TK[second, UKRAINIAN.encode("ї")] = 1
    log_TK = np.log(chances_TK).astype(np.float32)
    reading = Reading(UKRAINIAN, log_TK, tuple(search(log_TK, Search(beam=4), None)))
    answer = to_answer(reading, framed, Sureness(), Sureness())
    [word] = answer.words
    one, other = (character.box for character in word.characters)
    middle = one.left + one.width
    assert middle == pytest.approx(183 * scale, abs=12 * scale)  # between the two strokes
    assert middle == pytest.approx(other.left, abs=2)
    assert one.top == pytest.approx(18 * scale, abs=4 * scale)
    assert one.top + one.height == pytest.approx(62 * scale, abs=4 * scale)
    assert (word.box.left, word.box.width) == (one.left, other.left + other.width - one.left)


def test_a_line_without_characters_is_as_sure_as_its_blanks() -> None:
    reading = read("", {})
    assert reading.text == ""
    assert reading.confidence(Sureness(), spell(reading)) == pytest.approx(1, abs=1e-3)
    assert Reading.of_nothing(UKRAINIAN).confidence(Sureness(), []) == 1.0


def test_confidences_become_what_was_right() -> None:
    rng = np.random.default_rng(1)
    truth_N = rng.random(2000)
    features_NF = np.array([describe([chance, 1.0], 0.9) for chance in np.sqrt(truth_N)])
    right_N = (rng.random(2000) < truth_N).astype(float)
    sureness = fit_sureness(features_NF, right_N, np.ones(2000))
    for low in (0.2, 0.5, 0.8):
        chosen = (truth_N > low - 0.1) & (truth_N < low + 0.1)
        said = np.mean([sureness.apply(row) for row in features_NF[chosen]])
        assert said == pytest.approx(right_N[chosen].mean(), abs=0.08)
    assert fit_sureness(features_NF[:0], right_N[:0], right_N[:0]) == Sureness()
