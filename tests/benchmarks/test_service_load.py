"""The load benchmarks in their short forms: whether what is answered is right, never how fast."""

import json
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_every_load_is_answered_rightly(tmp_path: Path) -> None:
    """All but the peers, which are of others and take long to start, in one run."""
    import service_load

    path = tmp_path / "figures.json"
    names = ["one", "overload", "swaps", "mixed", "slow"]
    sizes = ["--seconds=0.5", "--swaps=2", "--refused=2", f"--json={path}"]
    report = service_load.main([*names, *sizes])
    assert report.is_right, report.wrong
    written = json.loads(path.read_text(encoding="utf-8"))
    assert {row["what"].split(":")[0] for row in written["rows"]} >= {*names, "after overload"}
