import pandas as pd
import pytest
from prediction_tables import make_predictions

from bukva.core.evaluation.verdict import Judgement, judge
from bukva.tasks.glyph.task import TASK

TOLERANCE = 0.01


def answers(right: int, wrong: int, corpus: str = "paper", shift: int = 0) -> pd.DataFrame:
    """A table of letters in the right case, some of whose labels are wrong.

    The wrong ones are `shift` places after the first.
    """
    rows = [("о", True, "о", 0.9)] * shift + [("о", True, "с", 0.9)] * wrong
    rows += [("о", True, "о", 0.9)] * (right - shift)
    return make_predictions(*rows, corpus=corpus)


def judged(production: pd.DataFrame, candidate: pd.DataFrame) -> Judgement:
    return judge(TASK, production, candidate, TOLERANCE)


def test_a_better_model_is_accepted():
    verdict = judged(answers(900, 100), answers(960, 40))
    assert verdict.is_accepted
    assert verdict.reason.startswith("label accuracy on the same 1000 test samples: +6.00%")
    assert verdict.comparison["letters.joint_accuracy.difference"] == pytest.approx(0.06)


def test_an_equally_good_model_is_accepted_on_enough_samples():
    """Each is wrong on 2 % of the samples, and not on the same."""
    assert judged(answers(9800, 200), answers(9800, 200, shift=500)).is_accepted


def test_an_equally_good_model_needs_enough_samples():
    verdict = judged(answers(49, 1), answers(49, 1, shift=20))
    assert not verdict.is_accepted
    assert "perhaps worse by more than 1.00% (promotion.tolerance)" in verdict.reason


def test_a_model_worse_by_less_than_the_tolerance_but_beyond_chance_is_refused():
    verdict = judged(answers(19800, 200), answers(19700, 300))
    assert not verdict.is_accepted
    assert "worse beyond chance: label accuracy -0.50%" in verdict.reason


def test_a_model_worse_within_chance_is_accepted():
    assert judged(answers(9800, 200), answers(9790, 210, shift=500)).is_accepted


def test_a_model_that_loses_the_case_is_refused():
    production = make_predictions(*[("о", True, "о", 0.9)] * 2000)
    candidate = make_predictions(*[("о", True, "о", 0.9)] * 1900, *[("о", True, "о", 0.1)] * 100)
    verdict = judged(production, candidate)
    assert verdict.comparison["label_accuracy.difference"] == 0
    assert not verdict.is_accepted
    assert "label and case of letters -5.00%" in verdict.reason


def test_a_gain_on_one_corpus_does_not_buy_a_loss_on_another():
    production = pd.concat([answers(9000, 1000), answers(490, 10, corpus="screen")])
    candidate = pd.concat([answers(9900, 100), answers(450, 50, corpus="screen")])
    verdict = judged(production, candidate)
    assert verdict.comparison["label_accuracy.difference.ci95"][0] > 0
    assert not verdict.is_accepted
    assert "worse beyond chance on screen: label accuracy -8.00%" in verdict.reason


def test_digits_are_judged_by_their_label():
    production = make_predictions(*[("7", None, "7", 0.1)] * 900, *[("7", None, "1", 0.1)] * 100)
    candidate = make_predictions(*[("7", None, "7", 0.9)] * 1000)
    assert judged(production, candidate).is_accepted
