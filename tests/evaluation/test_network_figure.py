import pandas as pd
import pytest

from bukva.errors import TableError
from bukva.evaluation.figures.networks import plot_network_comparison

COMPARISON = pd.DataFrame(
    {
        "name": ["decision_tree", "perfect-4"],
        "accuracy": [0.87, 1.0],
        "ci_low": [0.86, 0.9996],
        "ci_high": [0.88, 1.0],
        "test_samples": [10_000, 10_000],
        "file_bytes": [90_000, 400_000],
        "latency_ms": [0.06, 0.2],
    }
)


def test_each_network_stands_at_its_cost_and_its_error() -> None:
    latency, size = plot_network_comparison(COMPARISON).axes
    assert latency.collections[1].get_offsets().tolist() == [
        [0.06, pytest.approx(0.13)],
        [0.2, pytest.approx(0.00005)],  # half a sample: a logarithm shows no zero
    ]
    assert size.collections[1].get_offsets()[:, 0].tolist() == [90.0, 400.0]
    assert [text.get_text() for text in size.texts] == ["decision_tree", "perfect-4"]


def test_the_interval_of_the_error_is_that_of_the_accuracy_upside_down() -> None:
    latency = plot_network_comparison(COMPARISON).axes[0]
    ends = latency.collections[0].get_segments()[0][:, 1]
    assert sorted(ends) == pytest.approx([0.12, 0.14])


def test_missing_columns_are_named() -> None:
    with pytest.raises(TableError, match="latency_ms"):
        plot_network_comparison(COMPARISON.drop(columns="latency_ms"))
