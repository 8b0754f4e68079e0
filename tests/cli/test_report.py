"""One page about a run: everything that the main job wrote is in it; what is not there is named."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from browsing import run_browser
from job_storage import Storage

from bukva.cli.released.manifest import RELEASED
from bukva.pipeline_registry import register_pipelines


class Reader(HTMLParser):
    """Checks that tags are closed in order; notes addresses and texts."""

    VOID = frozenset({"meta", "img", "br", "link"})

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[str] = []
        self.addresses: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.addresses += [str(values[key]) for key in ("src", "href") if key in values]
        if tag == "img":
            self.images.append(values)
        if tag not in self.VOID:
            self.opened.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.opened.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def write_report(storage: Storage, page: Path) -> tuple[str, Reader]:
    said = storage.run("report", f"--to={page}")
    assert page.name in said
    html, reader = page.read_text(encoding="utf-8"), Reader()
    reader.feed(html)
    assert reader.opened == []
    return html, reader


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sent") / "page.html"


@pytest.fixture(scope="module")
def report(job: Storage, page: Path) -> tuple[str, Reader]:
    return write_report(job, page)


@pytest.fixture(scope="module")
def results(job: Storage) -> dict[str, Any]:
    return job.report("results.json")


def test_the_page_needs_nothing_beside_it(report: tuple[str, Reader]) -> None:
    html, reader = report
    assert reader.addresses
    assert all(re.match(r"data:image/webp;base64,|#", address) for address in reader.addresses)
    assert not re.search(r"https?://|@import|url\(", html)
    assert "default-src 'none'" in html


def test_nothing_of_a_finished_job_is_missing(report: tuple[str, Reader]) -> None:
    _, reader = report
    assert "makes it" not in reader.text
    assert len(reader.images) == 16


def test_results_are_told_with_their_intervals(
    report: tuple[str, Reader], results: dict[str, Any]
) -> None:
    text = report[1].text
    for key in ("all.label_accuracy", "all.letters.case_accuracy", "all.letters.joint_accuracy"):
        low, high = results[f"{key}.ci95"]
        assert f"{results[key]:.1%}".replace("%", " %") in text
        assert f"95 % interval {100 * low:.1f}-{100 * high:.1f}" in text
        assert f"{100 * results[key]:.1f} [{100 * low:.1f}, {100 * high:.1f}]" in text
    assert "digits (digit network)" in text
    assert "strokes (synthetic)" in text
    assert "(unseen)" not in text


def test_the_verdict_is_that_of_the_model_and_says_what_was_done_all_the_same(
    job: Storage, report: tuple[str, Reader]
) -> None:
    said = f"The model may not go into production: {job.report('verdict.json')['reason']}."
    assert f"{said} It was put there all the same, by promotion.force." in report[1].text
    assert "another model" not in report[1].text


def test_each_label_has_a_row(job: Storage, report: tuple[str, Reader]) -> None:
    html = report[0]
    table = html[html.index("<table data-sortable>") :]
    classes = pd.read_csv(job.path / "08_reporting" / "per_class_report.csv")
    for row in classes.itertuples():
        recall = f"{100 * row.recall:.1f}"
        found = f'<th scope="row">{row.label}</th><td class="number">{row.support}</td>'
        assert found in table
        assert f'<td class="number">{recall}</td>' in table[table.index(found) :][:400]


def test_a_column_is_sorted_by_its_numbers(report: tuple[str, Reader], page: Path) -> None:
    with run_browser() as browser:
        opened = browser.new_page()
        opened.goto(page.as_uri())
        table = opened.locator("table[data-sortable]").first
        for is_upward in (True, False):
            table.get_by_role("button", name="recall").click()
            cells = table.locator("tbody tr td:nth-child(4)").all_inner_texts()
            numbers = [float(cell) for cell in cells]
            assert numbers == sorted(numbers, reverse=not is_upward)
            assert len(set(numbers)) > 5


def test_figures_have_words_in_their_place(report: tuple[str, Reader]) -> None:
    images, text = report[1].images, report[1].text
    assert [image["alt"] for image in images][:2] == [
        "Samples of each symbol", "From a raw image to a sample",
    ]  # fmt: skip
    assert "How well the probabilities rank" in text
    assert "Letters on paper" in [image["alt"] for image in images]


def test_it_says_how_it_was_made(report: tuple[str, Reader], results: dict[str, Any]) -> None:
    text = report[1].text
    for words in (
        "git revision: ", "environment: test", results["model.weights_sha256"],
        results["model.data_fingerprint"], "finetuning.max_epochs",
        "evaluation.robustness.samples", f"{results['seconds.finetuning']:,.1f}",
        "max_label_difference",
    ):  # fmt: skip
        assert words in text
    assert "benchmark." not in text


def test_what_is_not_there_is_named_with_the_command_that_makes_it(
    copy_of_job: Callable[[], Storage], page: Path
) -> None:
    storage = copy_of_job()
    missing = {
        "misread_pairs.csv": ("Misread pairs", "evaluation"),
        "raw_sample_sheet.png": ("From a raw image to a sample", "data_processing"),
        "mnist_pretraining_learning_curves.png": ("First stage: digits", "mnist_pretraining"),
        "finetuning_learning_curves.png": ("Second stage: all symbols", "finetuning"),
        "reliability.png": ("Calibration", "evaluation"),
        "parity.json": ("Parity of torch and ONNX", "packaging"),
        "verdict.json": ("Verdict", "promotion"),
    }
    for file in missing:
        (storage.path / "08_reporting" / file).unlink()
    _, reader = write_report(storage, page.with_name("partial.html"))
    for title, pipeline in missing.values():
        assert f"{title}: kedro run --pipeline={pipeline} --env=test makes it" in reader.text
    assert reader.text.count("makes it") == len(missing)
    assert {pipeline for _, pipeline in missing.values()} < register_pipelines().keys()


def test_what_files_say_is_text_and_no_markup(
    copy_of_job: Callable[[], Storage], page: Path
) -> None:
    storage = copy_of_job()
    path = storage.path / "08_reporting" / "label_suspects.csv"
    suspects = pd.read_csv(path)
    suspects.assign(sample_id="<script>alert(1)</script>").to_csv(path, index=False)
    html, reader = write_report(storage, page.with_name("hostile.html"))
    assert "<script>alert(1)" not in html
    assert "<script>alert(1)</script>" in reader.text


def test_a_verdict_on_another_model_is_not_passed_off_as_its_own(
    copy_of_job: Callable[[], Storage], page: Path
) -> None:
    storage = copy_of_job()
    recogniser = storage.path / "06_models" / "recogniser.onnx"
    recogniser.write_bytes((RELEASED / "model.onnx").read_bytes())
    said = write_report(storage, page.with_name("other.html"))[1].text
    assert "(This was said of another model than the one whose results follow.)" in said
    recogniser.unlink()
    said = write_report(storage, page.with_name("unknown.html"))[1].text
    assert "not known here whether this is the model whose results follow" in said


def test_of_nothing_the_page_says_how_to_begin(tmp_path: Path) -> None:
    _, reader = write_report(Storage(tmp_path), tmp_path / "page.html")
    assert "Verdict: kedro run --pipeline=promotion --env=test makes it" in reader.text
    assert "Accuracy: kedro run --pipeline=evaluation --env=test makes it" in reader.text
    assert reader.images == []


def test_the_card_of_the_run_becomes_a_page(job: Storage, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    assert f"Wrote {page}" in job.run("card", f"--page={page}")
    card = page.read_text(encoding="utf-8")
    assert card == (job.path / "08_reporting" / "model_card.md").read_text(encoding="utf-8")
    assert job.report("results.json")["model.weights_sha256"] in card
