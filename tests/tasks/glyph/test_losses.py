import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bukva.tasks.glyph.learner import glyph_loss

NAN = math.nan


def test_the_loss_is_what_a_hand_computes():
    # Two labels: softmax(ln 3, 0) = 3/4, 1/4. Case: sigmoid(ln 4) = 4/5.
    logits = torch.tensor([[math.log(3), 0.0], [math.log(3), 0.0]])
    case_logits = torch.tensor([math.log(4), math.log(4)])
    loss = glyph_loss(
        logits, case_logits, torch.tensor([0, 1]), torch.tensor([1.0, 0.0]), case_loss_weight=0.5
    )
    label = -(math.log(3 / 4) + math.log(1 / 4)) / 2
    case = -(math.log(4 / 5) + math.log(1 / 5)) / 2
    assert loss.item() == pytest.approx(label + 0.5 * case, rel=1e-6)


def test_label_smoothing_is_what_a_hand_computes():
    logits = torch.tensor([[math.log(3), 0.0]])
    loss = glyph_loss(
        logits, torch.zeros(1), torch.tensor([0]), torch.tensor([NAN]), label_smoothing=0.2
    )
    assert loss.item() == pytest.approx(-0.9 * math.log(3 / 4) - 0.1 * math.log(1 / 4), rel=1e-6)


@given(st.floats(-50, 50))
def test_the_case_of_a_digit_is_ignored(case_logit):
    logits = torch.tensor([[1.0, 2.0, 3.0]])
    with_case = glyph_loss(
        logits, torch.tensor([case_logit]), torch.tensor([1]), torch.tensor([NAN])
    )
    without = torch.nn.functional.cross_entropy(logits, torch.tensor([1]))
    assert with_case.item() == pytest.approx(without.item(), rel=1e-6)


def test_an_unknown_case_sends_no_gradient():
    logits = torch.zeros((2, 3), requires_grad=True)
    case_logits = torch.tensor([0.3, 0.3], requires_grad=True)
    glyph_loss(logits, case_logits, torch.tensor([0, 1]), torch.tensor([NAN, 1.0])).backward()
    assert case_logits.grad[0] == 0.0
    assert case_logits.grad[1] < 0.0
    assert torch.isfinite(logits.grad).all()


def test_a_letter_counts_the_same_among_digits_as_among_letters():
    logits, labels = torch.zeros((4, 3)), torch.zeros(4, dtype=torch.int64)
    one_letter = glyph_loss(logits, torch.ones(4), labels, torch.tensor([1.0, NAN, NAN, NAN]))
    no_letter = glyph_loss(logits, torch.ones(4), labels, torch.full((4,), NAN))
    all_letters = glyph_loss(logits, torch.ones(4), labels, torch.ones(4))
    assert (one_letter - no_letter).item() == pytest.approx(
        (all_letters - no_letter).item() / 4, rel=1e-5
    )


def test_weights_make_a_weighted_mean():
    logits, labels = torch.tensor([[2.0, 0.0], [0.0, 1.0]]), torch.tensor([0, 0])
    case, unknown = torch.zeros(2), torch.full((2,), NAN)
    first, second = (
        glyph_loss(logits[i : i + 1], case[:1], labels[:1], unknown[:1]).item() for i in (0, 1)
    )
    weighted = glyph_loss(logits, case, labels, unknown, weights_B=torch.tensor([3.0, 1.0]))
    assert weighted.item() == pytest.approx((3 * first + second) / 4, rel=1e-6)
