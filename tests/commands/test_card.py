"""The model card of a run, copied to where it is read."""

from pathlib import Path

from click.testing import CliRunner

from bukva.__main__ import bukva
from kedro_project import storage_at


def test_the_card_of_the_run_becomes_a_page(tmp_path: Path) -> None:
    reports = tmp_path / "08_reporting"
    reports.mkdir()
    (reports / "model_card.md").write_text("# Картка моделі\n", encoding="utf-8")
    page = tmp_path / "page.md"
    with storage_at(tmp_path):
        arguments = ["card", "--env=test", f"--page={page}"]
        done = CliRunner().invoke(bukva, arguments, catch_exceptions=False)
    assert page.read_text(encoding="utf-8") == "# Картка моделі\n"
    assert f"Wrote {page}" in done.output
