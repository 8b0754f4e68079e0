"""What a search may be told: everything that is wrong with it is said before it begins."""

from typing import Any

import pytest
from pydantic import ValidationError

from bukva.core.tuning.parameters import SearchedParameter
from bukva.tasks.glyph.parameters import TuningParameters

GOOD: dict[str, Any] = {
    "study": "one",
    "space": {"learning_rate": {"low": 0.001, "high": 0.01, "log": True}},
    "valid_corpora": {"strokes": 1.0},
}


def refusal(**changes: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        TuningParameters.model_validate(GOOD | changes)
    return str(caught.value)


def test_good_values_become_a_group() -> None:
    parameters = TuningParameters.model_validate(GOOD)
    assert not parameters.is_maximised
    assert TuningParameters.model_validate(GOOD | {"measure": "valid_label_accuracy"}).is_maximised


def test_all_that_finetuning_would_refuse_is_reported_at_once() -> None:
    message = refusal(
        space={
            "learning_rte": {"low": 0.1, "high": 0.2},
            "dropout": {"low": 0.5, "high": 1.5},
            "augmentation.rotaton_deg": {"low": 1.0, "high": 2.0},
            "augmentation.slant": {"low": -0.5, "high": 0.5},
            "corpora.rukopys": {"low": -1.0, "high": 1.0},
            "schedule": {"choices": ["one_cycle", "cosine"]},
            "augmentation": {"choices": [1, 2]},
        }
    )
    for fault in (
        "learning_rte: Extra inputs are not permitted, got 0.1",
        "dropout: Input should be less than 1, got 1.5",
        "augmentation.rotaton_deg: Extra inputs",
        "augmentation.slant: Input should be greater than or equal to 0, got -0.5",
        "corpora.rukopys: Input should be greater than or equal to 0, got -1.0",
        "schedule: Input should be 'one_cycle' or 'plateau', got 'cosine'",
        "augmentation: Input should be a valid dictionary",
    ):
        assert fault in message


@pytest.mark.parametrize(
    ("item", "told"),
    [
        ({"low": 2.0, "high": 1.0}, "expected low < high, got 2.0 and 1.0"),
        ({"low": 1.0, "high": 1.0}, "expected low < high"),
        ({"low": 0.0, "high": float("inf")}, "expected low < high"),
        ({"low": float("nan"), "high": 1.0}, "expected low < high"),
        ({"low": 0.0, "high": 1.0, "log": True}, "expected low > 0 and no step"),
        ({"low": 0.1, "high": 1.0, "log": True, "step": 0.1}, "expected low > 0 and no step"),
        ({"low": 0.1}, "expected low and high, or choices"),
        ({}, "expected low and high, or choices"),
        ({"low": 0.1, "high": 1.0, "choices": [1, 2]}, "a range or choices, got both"),
        ({"choices": [1]}, "at least 2 items"),
        ({"low": 0.1, "hihg": 1.0}, "hihg"),
    ],
)
def test_a_range_that_is_none_is_refused(item: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        SearchedParameter.model_validate(item)


def test_a_range_is_of_whole_numbers_if_both_ends_are() -> None:
    assert SearchedParameter(low=1, high=4).is_whole
    assert not SearchedParameter(low=1, high=4.0).is_whole


def test_a_search_that_would_measure_other_things_in_each_trial_is_refused() -> None:
    space = {"label_smoothing": {"low": 0.0, "high": 0.2}}
    assert "['label_smoothing'] leave as it is, got valid_loss" in refusal(space=space)
    changed = GOOD | {"space": space, "measure": "valid_label_accuracy"}
    assert TuningParameters.model_validate(changed).measure == "valid_label_accuracy"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("study", ""),
        ("space", {}),
        ("valid_corpora", {}),
        ("valid_corpora", {"strokes": -1.0}),
        ("measure", "train_loss"),
        ("trials", 0),
        ("epochs", 0),
        ("workers", 0),
        ("timeout_s", 0),
        ("retries", -1),
        ("pruner", {"name": "best"}),
        ("pruner", {"reduction_factor": 1}),
    ],
)
def test_a_search_refuses_what_cannot_work(name: str, value: Any) -> None:
    assert name in refusal(**{name: value})


def test_a_worker_must_be_silent_for_longer_than_a_heartbeat() -> None:
    assert "expected grace_s > heartbeat_s" in refusal(heartbeat_s=60, grace_s=60)
