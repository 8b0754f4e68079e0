"""The command `bukva job`: how parameters are read; the rest is in tests/end_to_end."""

from typing import Any

import click
import pytest
from click.testing import CliRunner

from bukva.__main__ import bukva
from bukva.cli.job import job
from bukva.cli.options import parse_params


def parse(text: str) -> dict[str, Any]:
    option = next(item for item in job.params if item.name == "params")
    return parse_params(click.Context(job), option, text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("finetuning.max_epochs=3", {"finetuning": {"max_epochs": 3}}),
        (
            "finetuning.max_epochs=3, finetuning.resume=false ,promotion.force=true",
            {"finetuning": {"max_epochs": 3, "resume": False}, "promotion": {"force": True}},
        ),
        ("packaging.parity_tolerance=1e-5", {"packaging": {"parity_tolerance": 1e-5}}),
        ("finetuning.network=glyph_cnn", {"finetuning": {"network": "glyph_cnn"}}),
    ],
)
def test_parameters_are_read_as_kedro_run_reads_them(text: str, expected: dict[str, Any]) -> None:
    assert parse(text) == expected


def test_a_parameter_without_a_value_is_refused_before_anything_runs() -> None:
    done = CliRunner().invoke(bukva, ["job", "--params=finetuning.max_epochs,embedded.seed=1"])
    assert done.exit_code == 2
    assert "expected name=value, got finetuning.max_epochs" in done.output
