"""The model card of a run, copied to where it is read."""

from pathlib import Path

from job_storage import Storage


def test_the_card_of_the_run_becomes_a_page(job: Storage, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    assert f"Wrote {page}" in job.run("card", f"--page={page}")
    card = page.read_text(encoding="utf-8")
    assert card == (job.path / "08_reporting" / "model_card.md").read_text(encoding="utf-8")
    assert job.report("results.json")["model.weights_sha256"] in card
