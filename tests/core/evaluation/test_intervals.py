import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bukva.core.evaluation.intervals import (
    bootstrap_interval,
    design_effect,
    mcnemar_p_value,
    paired_difference_interval,
    wilson_interval,
)
from bukva.errors import TableError


def answers(both: int, only_first: int, only_second: int, neither: int):
    first = [True] * (both + only_first) + [False] * (only_second + neither)
    second = [True] * both + [False] * only_first + [True] * only_second + [False] * neither
    return first, second


def test_wilson_interval_of_the_published_peer():
    assert wilson_interval(282, 300) == pytest.approx((0.9072, 0.9617), abs=5e-5)


@pytest.mark.parametrize(
    ("successes", "total", "expected"),
    [(183, 199, (0.873, 0.950)), (176, 199, (0.833, 0.922)), (0, 10, (0.0, 0.2775))],
)
def test_wilson_interval_of_known_counts(successes, total, expected):
    assert wilson_interval(successes, total) == pytest.approx(expected, abs=6e-4)


@given(st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_interval_holds_the_share_and_stays_in_range(counts):
    low, high = wilson_interval(*counts)
    assert 0 <= low <= counts[0] / counts[1] + 1e-12
    assert counts[0] / counts[1] - 1e-12 <= high <= 1
    assert high - low > 0


@pytest.mark.parametrize(("successes", "total"), [(0, 0), (4, 3), (-1, 3)])
def test_wilson_interval_refuses_impossible_counts(successes, total):
    with pytest.raises(TableError, match=f"got {successes} of {total}"):
        wilson_interval(successes, total)


def test_bootstrap_interval_agrees_with_the_normal_one_and_is_seeded():
    values = np.random.default_rng(0).normal(3.0, 2.0, 1000)
    low, high = bootstrap_interval(values, seed=1)
    half = 1.96 * values.std() / np.sqrt(1000)
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.02)
    assert (low, high) == bootstrap_interval(values, seed=1)
    assert (low, high) != bootstrap_interval(values, seed=2)


def test_bootstrap_interval_takes_any_statistic():
    values = np.arange(101)
    low, high = bootstrap_interval(values, lambda sample: float(np.sort(sample)[50]), resamples=300)
    assert 30 < low < 50 < high < 70


def test_bootstrap_interval_refuses_a_single_value():
    with pytest.raises(TableError, match="at least two values"):
        bootstrap_interval([1.0])


def test_mcnemar_p_value_is_the_exact_binomial():
    # Twice the chance of 2 heads or fewer in 12 throws: 2 * (1 + 12 + 66) / 4096.
    assert mcnemar_p_value(10, 2) == pytest.approx(2 * 79 / 4096)
    assert mcnemar_p_value(2, 10) == mcnemar_p_value(10, 2)
    assert mcnemar_p_value(0, 0) == 1.0
    assert mcnemar_p_value(5, 5) == 1.0


def test_paired_difference_interval_of_published_examples():
    # Bentur et al. 2009 as analysed by Fagerland et al. 2014, table of the square-and-add interval.
    first, second = answers(both=1, only_first=7, only_second=1, neither=12)
    assert paired_difference_interval(first, second) == pytest.approx((-0.507, -0.026), abs=6e-4)
    # Newcombe 1998, table of paired examples, method 10.
    first, second = answers(both=36, only_first=2, only_second=12, neither=0)
    assert paired_difference_interval(first, second) == pytest.approx((0.0569, 0.3404), abs=6e-5)


def test_paired_difference_interval_has_width_where_nothing_differs():
    low, high = paired_difference_interval(*answers(50, 0, 0, 0))
    assert low < 0 < high


@given(st.tuples(*[st.integers(0, 30)] * 4).filter(any))
def test_paired_difference_interval_holds_the_difference_and_is_antisymmetric(counts):
    first, second = answers(*counts)
    low, high = paired_difference_interval(first, second)
    difference = (counts[2] - counts[1]) / sum(counts)
    assert low - 1e-9 <= difference <= high + 1e-9
    assert paired_difference_interval(second, first) == pytest.approx((-high, -low))


def test_paired_difference_interval_refuses_unpaired_answers():
    with pytest.raises(TableError, match="one answer a sample from both"):
        paired_difference_interval([True], [True, False])


def test_wilson_interval_of_grouped_samples_is_that_of_as_many_independent_ones():
    assert wilson_interval(90, 100, design_effect=2.0) == wilson_interval(45, 50)


def test_design_effect_of_pairs_is_two():
    values = np.repeat([0, 1, 1, 0, 1, 0, 1, 1] * 50, 2)
    one_stratum = np.zeros(800, int)
    assert design_effect(values, np.arange(800) // 2, one_stratum) == pytest.approx(2.0, abs=0.01)
    assert design_effect(values, np.arange(800), one_stratum) == 1.0


def test_design_effect_is_never_below_one():
    """Each group holds one of each: they tell more than independent ones would, if it is true."""
    assert design_effect([0, 1] * 50, np.arange(100) // 2, np.zeros(100, int)) == 1.0
    assert design_effect([1, 1, 1], [0, 0, 1], [0, 0, 0]) == 1.0


def test_design_effect_leaves_out_what_is_fixed():
    """Groups that differ only because they are of another stratum do not differ by chance."""
    values, unit = np.repeat([0, 1], 50), np.arange(100) // 10
    assert design_effect(values, unit, np.zeros(100, int)) > 10
    assert design_effect(values, unit, values) == 1.0


def test_paired_difference_interval_widens_with_the_design_effect():
    first, second = [True] * 90 + [False] * 10, [True] * 80 + [False] * 20
    low, high = paired_difference_interval(first, second)
    wide_low, wide_high = paired_difference_interval(first, second, design_effect=4.0)
    assert wide_low + 0.1 == pytest.approx(2 * (low + 0.1))
    assert wide_high + 0.1 == pytest.approx(2 * (high + 0.1))
