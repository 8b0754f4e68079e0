import pytest

from bukva.errors import ParameterError
from targets.table import Target, judge_targets, parse_targets, to_markdown

ACCURACY = {
    "what": "screen drawings",
    "keys": ["comnist.label_accuracy"],
    "peer": 45.4,
    "least": 97.5,
    "aim": 98.8,
    "command": "make run",
}
LATENCY = {
    "what": "one image",
    "keys": ["decode_ms", "network_ms"],
    "unit": "ms",
    "is_higher_better": False,
    "least": 3,
    "aim": 1,
    "command": "make benchmark",
}


@pytest.mark.parametrize(
    ("share", "verdict"), [(0.988, "aim reached"), (0.975, "enough"), (0.9749, "missed")]
)
def test_a_share_is_judged_in_per_cent(share: float, verdict: str) -> None:
    measured = {
        "comnist.label_accuracy": share,
        "comnist.label_accuracy.ci95": [0.96, 0.99],
        "comnist.label_accuracy.n": 1699,
    }
    row = judge_targets(parse_targets([ACCURACY]), measured)[0]
    assert row["measured"] == pytest.approx(100 * share)
    assert row["ci95"] == pytest.approx([96, 99])
    assert row["n"] == 1699
    assert row["verdict"] == verdict


@pytest.mark.parametrize(
    ("network_ms", "verdict"), [(0.5, "aim reached"), (2.5, "enough"), (2.6, "missed")]
)
def test_several_keys_are_added_and_less_may_be_better(network_ms: float, verdict: str) -> None:
    row = judge_targets(parse_targets([LATENCY]), {"decode_ms": 0.5, "network_ms": network_ms})[0]
    assert row["measured"] == pytest.approx(0.5 + network_ms)
    assert row["verdict"] == verdict


def test_what_is_measured_in_part_is_not_measured() -> None:
    rows = judge_targets(parse_targets([ACCURACY, LATENCY]), {"decode_ms": 0.5})
    assert [row["verdict"] for row in rows] == ["not measured", "not measured"]
    assert [row["measured"] for row in rows] == [None, None]


@pytest.mark.parametrize(
    ("unit", "value", "shown"),
    [("k", 200_948, 200.948), ("MB", 811_008, 0.811008), ("min", 90.0, 1.5), ("ms", 2.0, 2.0)],
)
def test_units(unit: str, value: float, shown: float) -> None:
    target = Target(what="", keys=("key",), unit=unit, least=1, aim=1, command="")
    assert judge_targets([target], {"key": value})[0]["measured"] == pytest.approx(shown)


def test_table_has_a_line_for_each_target_and_says_what_is_missed() -> None:
    measured = {"comnist.label_accuracy": 0.9641, "comnist.label_accuracy.ci95": [0.954, 0.9722]}
    table = to_markdown(judge_targets(parse_targets([ACCURACY, LATENCY]), measured))
    header, rule, first, second = table.splitlines()
    assert len({line.count("|") for line in (header, rule, first, second)}) == 1
    assert "| 45.4 | 97.5 | 98.8 | 96.41 | [95.4, 97.22] |" in first
    assert "**missed**" in first
    assert "| - | 3 | 1 | - |" in second
    assert "not measured" in second


def test_all_faults_of_the_file_are_reported() -> None:
    with pytest.raises(ParameterError) as refusal:
        parse_targets([{**ACCURACY, "unit": "miles"}, {**LATENCY, "aims": 2}])
    assert "unit" in str(refusal.value)
    assert "aims" in str(refusal.value)
