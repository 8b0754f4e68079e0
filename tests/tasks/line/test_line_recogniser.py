"""What is answered for pictures of lines: text, places, doubts, and refusals."""

import io
from collections.abc import Iterable, Sequence

import numpy as np
import pytest
from PIL import Image
from small_reader import TEXTS, Samples, pages

from bukva.core.evaluation.edits import Edits
from bukva.core.predictor import OnnxModel
from bukva.core.schema import to_arrow, to_mlflow_json
from bukva.tasks.line.answer import Answer
from bukva.tasks.line.charset import normalise
from bukva.tasks.line.recogniser import LineRecogniser


@pytest.fixture(scope="module")
def inks(samples: Samples) -> list[np.ndarray]:
    widths = samples[0]["width_px"].iloc[: len(TEXTS)]
    return [image_HW[:, :width] for image_HW, width in zip(samples[1], widths, strict=False)]


def count_edits(texts: Iterable[str], answers: Sequence[Answer]) -> Edits:
    pairs = zip(texts, answers, strict=True)
    return Edits.sum(Edits.between(text, normalise(answer.text or "")) for text, answer in pairs)


def test_pictures_of_learnt_lines_are_read(recogniser: LineRecogniser) -> None:
    answers = recogniser.answer(pages())
    assert count_edits(TEXTS, answers).cer < 0.15
    assert all(answer.error is None for answer in answers)


def test_words_and_characters_stand_in_order_on_the_picture(recogniser: LineRecogniser) -> None:
    page = pages()[1]
    width, height = Image.open(io.BytesIO(page)).size
    [answer] = recogniser.answer([page])
    assert answer.text == TEXTS[1]
    boxes = [character.box for word in answer.words for character in word.characters]
    assert [box.left for box in boxes] == sorted(box.left for box in boxes)
    for word in answer.words:
        assert "".join(character.text for character in word.characters) == word.text
        assert 0 <= word.box.left < word.box.left + word.box.width <= width
        assert 0 <= word.box.top < word.box.top + word.box.height <= height
        for before, after in zip(word.characters, word.characters[1:], strict=False):
            assert abs(before.box.left + before.box.width - after.box.left) <= 2


def test_doubts_are_shared_out_among_at_most_three_alternatives(
    recogniser: LineRecogniser, inks: list[np.ndarray]
) -> None:
    answers = recogniser.describe([np.ascontiguousarray(ink_hw[:, ::-1]) for ink_hw in inks])
    words = [word for answer in answers for word in answer.words]
    assert words
    assert any(word.alternatives for word in words)
    for part in [*words, *(each for word in words for each in word.characters)]:
        assert 0 <= part.confidence <= 1
        assert len(part.alternatives) <= 3
        shares = [each.confidence for each in part.alternatives]
        assert shares == sorted(shares, reverse=True)
        assert part.confidence + sum(shares) <= 1.0001
        assert part.text not in [each.text for each in part.alternatives]


def test_an_empty_sheet_says_nothing_and_surely(recogniser: LineRecogniser) -> None:
    buffer = io.BytesIO()
    Image.fromarray(np.full((80, 400), 225, np.uint8)).save(buffer, "PNG")
    [answer] = recogniser.answer([buffer.getvalue()])
    assert answer == Answer(text="", confidence=1.0)


def test_a_bad_picture_harms_no_other(recogniser: LineRecogniser) -> None:
    good, alone = pages()[:2]
    first, refused, second = recogniser.answer([good, b"no image", alone])
    assert refused.error == "unsupported_format"
    assert refused.text is None
    assert [first] == recogniser.answer([good])
    assert [second] == recogniser.answer([alone])


def test_framed_lines_are_answered_for_as_pictures_are(
    recogniser: LineRecogniser, inks: list[np.ndarray]
) -> None:
    framed, sent = recogniser.describe(inks), recogniser.answer(pages())
    assert [answer.text for answer in framed] == [answer.text for answer in sent]
    assert [answer.confidence for answer in framed] == [answer.confidence for answer in sent]


def test_a_table_of_answers_has_a_schema_for_arrow_and_mlflow() -> None:
    assert to_arrow(Answer).names == ["text", "confidence", "words", "error", "error_detail"]
    assert "alternatives" in to_mlflow_json(Answer)


def test_the_model_is_one_file(recogniser: LineRecogniser) -> None:
    again = LineRecogniser(OnnxModel(recogniser.onnx_model))
    assert again.charset == recogniser.charset
    assert again.language_model is not None
    assert again.settings == recogniser.settings
