"""The load benchmarks in their short forms: whether what is answered is right, never how fast.

Those beside the peers are not run: two more servers would take as long as all of this. The bad
requests of `mixed` are among those of the soak.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvloop

import service_load
from load.lab import Lab, open_lab
from load.report import Report
from load.servers import Cores
from soak import soak

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    before = os.sched_getaffinity(0)
    with pytest.MonkeyPatch.context() as patch:
        # How late an answer is depends on what else the machine does; here it is to be right.
        patch.setenv("BUKVA_DEADLINE_S", "20")
        cores = Cores.choose(None, None)
        with open_lab(cores, Report({}), seconds=0.5, swaps=1, refused=1) as made:
            yield made
    assert os.sched_getaffinity(0) == before, "the tests after these have all cores again"


@pytest.mark.parametrize("name", ["overload", "swaps", "slow"])
def test_every_answer_under_load_is_right(lab: Lab, name: str) -> None:
    uvloop.run(service_load.BENCHMARKS[name](lab))
    assert lab.report.is_right, lab.report.wrong
    assert any(row.what.startswith(name) for row in lab.report.rows)


def test_a_soak_stores_every_correction_and_asks_every_version(lab: Lab, tmp_path: Path) -> None:
    uvloop.run(soak(lab, minutes=0.1))
    assert lab.report.is_right, lab.report.wrong
    lab.report.write(tmp_path / "figures.json")
    rows = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))["rows"]
    figures = {row["what"]: row["measured"] for row in rows}
    assert figures["answers with 201"] > 0
    assert figures["versions that answered"] == 2


def test_the_command_line_names_every_benchmark() -> None:
    shown = " ".join(service_load.make_parser().format_help().split())
    assert all(f"{name} (" in shown for name in service_load.BENCHMARKS)
