import copy
import re

import pytest
from pydantic import BaseModel, ValidationError

from bukva.errors import ParameterError
from bukva.pipelines.parameters import Parameters, validate_parameters
from bukva.tasks.glyph.parameters import AugmentationParameters, TrainingParameters

GOOD = {
    "embedded": {"samples_per_symbol": 2, "with_digits": True, "seed": 1},
    "data_processing": {
        "max_corrupt_share": 0.01,
        "duplicate_cosine": 0.985,
        "valid_share": 0.1,
        "test_share": 0.2,
        "nonsymbols_per_kind": 3,
        "seed": 1,
    },
    "feedback_ingestion": {},
    "mnist_pretraining": {"corpora": {"digits": 1.0}, "alphabet": "digits"},
    "finetuning": {"corpora": {"strokes": 1.0}, "augmentation": {"rotation_deg": 5.0}},
    "tuning": {
        "study": "one",
        "space": {"dropout": {"low": 0.0, "high": 0.5}},
        "valid_corpora": {"strokes": 1.0},
    },
    "evaluation": {},
    "packaging": {},
    "promotion": {},
    "character": {},
    "document": {},
    "line": {},
    "batch_inference": {"images": "scans", "results": "read", "model": "prod"},
}


@pytest.fixture
def values():
    return copy.deepcopy(GOOD)


def test_good_values_become_typed_groups(values):
    parameters = validate_parameters(values)
    assert parameters.finetuning.augmentation.rotation_deg == 5.0
    assert parameters.finetuning.augmentation.scale == AugmentationParameters().scale
    assert parameters.promotion.tolerance == 0.01


def test_all_bad_values_are_reported_at_once_with_their_paths(values):
    values["data_processing"]["valid_share"] = 0.9
    values["finetuning"]["augmentation"] = {"rotation_deg": 400, "shift": "far"}
    values["finetuning"]["learning_rate"] = 0
    values["finetuning"]["corpora"] = {"strokes": -1.0}
    values["evaluation"]["batch_size"] = 0
    values["packaging"]["opsett"] = 20
    del values["embedded"]["seed"]
    with pytest.raises(ParameterError) as refusal:
        validate_parameters(values)
    message = str(refusal.value)
    assert message.startswith("8 bad parameters")
    assert re.findall(r"^  - ([\w.]+): ", message, re.MULTILINE) == [
        "embedded.seed",
        "data_processing.valid_share",
        "finetuning.learning_rate",
        "finetuning.corpora.strokes",
        "finetuning.augmentation.rotation_deg",
        "finetuning.augmentation.shift",
        "evaluation.batch_size",
        "packaging.opsett",
    ]


def test_the_message_says_what_came(values):
    values["finetuning"]["schedule"] = "cosine"
    with pytest.raises(ParameterError, match=r"'one_cycle' or 'plateau', got 'cosine'"):
        validate_parameters(values)


@pytest.mark.parametrize("group", GOOD)
def test_an_unknown_name_is_refused_in_every_group(values, group):
    values[group]["learning_rte"] = 1
    with pytest.raises(ParameterError, match=rf"{group}.learning_rte: Extra"):
        validate_parameters(values)


def test_an_unknown_group_is_refused(values):
    values["fine_tuning"] = {}
    with pytest.raises(ParameterError, match=r"- fine_tuning: Extra"):
        validate_parameters(values)


@pytest.mark.parametrize("group", GOOD)
def test_a_missing_group_is_named(values, group):
    del values[group]
    with pytest.raises(ParameterError, match=rf"- {group}: Field required"):
        validate_parameters(values)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("learning_rate", -1.0),
        ("learning_rate", float("nan")),
        ("ema_decay", 1.0),
        ("dropout", 1.0),
        ("batch_size", 1),
        ("max_epochs", 0),
        ("head_epochs", -1),
        ("steps_per_epoch", 0),
        ("class_balance", 1.5),
        ("device", "tpu"),
        ("precision", "float16"),
        ("alphabet", "latin"),
        ("corpora", {}),
        ("width", 0),
    ],
)
def test_training_refuses_what_cannot_work(name, value):
    with pytest.raises(ValidationError, match=name):
        TrainingParameters(**{"corpora": {"strokes": 1.0}, name: value})


def groups_of(parameters: BaseModel) -> list[BaseModel]:
    inner = [value for _, value in parameters if isinstance(value, BaseModel)]
    return [parameters, *(group for child in inner for group in groups_of(child))]


def test_no_group_can_be_changed_once_made(values):
    groups = groups_of(Parameters.model_validate(values))
    assert len(groups) == 42
    for group in groups:
        field = next(iter(type(group).model_fields))
        with pytest.raises(ValidationError, match="frozen"):
            setattr(group, field, getattr(group, field))
