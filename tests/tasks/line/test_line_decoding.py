"""From what a network says of each step to a text: against all ways, and with a language model."""

import itertools

import numpy as np
import pytest

from bukva.tasks.line.charset import UNION, Charset
from bukva.tasks.line.decoding import Search, Span, align, read_greedily, search
from bukva.tasks.line.language_model import LanguageModel

AB = Charset("ab")


def collapse(path: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(
        index for place, index in enumerate(path)
        if index and (place == 0 or path[place - 1] != index)
    )  # fmt: skip


def say(text: str, charset: Charset, steps: int, doubt: dict[int, str]) -> np.ndarray:
    """Return what a network may say of a text, in doubt at some of its characters."""
    chances_TK = np.full((steps, len(charset)), 1e-5)
    chances_TK[:, 0] = 1.0
    for place, character in enumerate(text):
        step = 2 * place + 1
        chances_TK[step, charset.encode(character)] = 1.0
        chances_TK[step, 0] = 0.1
        if place in doubt:
            chances_TK[step, charset.encode(doubt[place])] = 1.2
    return np.log(chances_TK / chances_TK.sum(axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("seed", range(8))
def test_the_search_adds_up_all_ways_to_a_text(seed: int) -> None:
    rng = np.random.default_rng(seed)
    log_TK = np.log(rng.dirichlet(np.full(3, 0.8), 5)).astype(np.float32)
    totals: dict[tuple[int, ...], float] = {}
    for path in itertools.product(range(3), repeat=5):
        chance = float(np.exp(sum(log_TK[step, index] for step, index in enumerate(path))))
        totals[collapse(path)] = totals.get(collapse(path), 0.0) + chance
    found = search(log_TK, Search(beam=200), None)
    best = max(totals, key=lambda text: totals[text])
    assert found[0].indices == best
    assert found[0].share == pytest.approx(totals[best], abs=0.02)


def test_greedy_reading_collapses_repeats_but_not_across_a_blank() -> None:
    log_TK = np.log(np.eye(3)[[0, 1, 1, 0, 1, 2, 2]] + 1e-6).astype(np.float32)
    assert read_greedily(log_TK) == [1, 1, 2]


def test_a_language_model_settles_what_the_network_doubts() -> None:
    model = LanguageModel.count(
        ["добрий день", "добрий вечір", "добра ніч"] * 3, UNION, order=5, least_count=1,
        corpora=["own"],
    )  # fmt: skip
    log_TK = say("добрий день", UNION, 24, {2: "в"})
    plain = search(log_TK, Search(beam=8), model)[0]
    assert UNION.decode(plain.indices) == "доврий день"
    helped = search(log_TK, Search(beam=8, weight=0.5, bonus=0.5), model)[0]
    assert UNION.decode(helped.indices) == "добрий день"


def test_nothing_is_read_of_blanks() -> None:
    log_TK = np.log(np.tile([[0.9995, 0.0003, 0.0002]], (10, 1))).astype(np.float32)
    [found] = search(log_TK, Search(beam=4), None)
    assert (found.indices, found.share) == ((), pytest.approx(1.0))


def test_each_character_is_found_where_it_was_seen() -> None:
    log_TK = say("baab", AB, 10, {})
    assert align(log_TK, AB.encode("baab")) == [Span(step, step) for step in (1, 3, 5, 7)]
    assert align(log_TK, []) == []
