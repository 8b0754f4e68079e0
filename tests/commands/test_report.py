"""One page about a run: everything is in it, and what is not there is named."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner
from matplotlib.figure import Figure

from bukva.__main__ import bukva
from kedro_project import PROJECT, storage_at

RESULTS = {
    "all.label_accuracy": 0.968767,
    "all.label_accuracy.ci95": [0.965512, 0.971723],
    "all.label_accuracy.n": 26094,
    "rukopys.label_accuracy": 0.788174,
    "rukopys.label_accuracy.ci95": [0.765, 0.809],
    "rukopys.label_accuracy.n": 1336,
    "mnist.accuracy": 0.9966,
    "mnist.accuracy.ci95": [0.995253, 0.997566],
    "mnist.accuracy.n": 10000,
    "refusal.kept": 0.943,
    "refusal.pair.refused": 0.99,
    "model.weights_sha256": "7f50228b",
    "model.data_fingerprint": "93ee7629",
    "model.corpora": ["mnist", "strokes"],
    "seconds.finetuning": 61.26,
}
VERDICT = {"weights_sha256": "7f50228b", "is_accepted": True, "reason": "no model is in production"}
CLASSES = pd.DataFrame(
    {
        "label": ["а", "ґ", "7"],
        "support": [100, 20, 30],
        "precision": [0.9, 0.8, 1.0],
        "recall": [0.95, 0.7, 1.0],
        "f1": [0.92, 0.75, 1.0],
        "case_accuracy": [0.9, 0.8, None],
    }
)


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


def write_report(storage: Path, **files: Any) -> tuple[str, Reader, str]:
    """Write the report of a storage with these files in it; the page, read, and what was said."""
    reports = storage / "08_reporting"
    reports.mkdir(exist_ok=True)
    for name, content in files.items():
        if isinstance(content, pd.DataFrame):
            content.to_csv(reports / f"{name}.csv", index=False)
        elif isinstance(content, Figure):
            content.savefig(reports / f"{name}.png")
        else:
            (reports / f"{name}.json").write_text(json.dumps(content))
    page = storage / "sent" / "page.html"
    with storage_at(storage):
        arguments = ["report", "--env=test", f"--to={page}"]
        done = CliRunner().invoke(bukva, arguments, catch_exceptions=False)
    html, reader = page.read_text(encoding="utf-8"), Reader()
    reader.feed(html)
    assert reader.opened == []
    return html, reader, done.output


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Reader, str]:
    storage = tmp_path_factory.mktemp("storage")
    suspect = "<script>alert(1)</script>"
    suspects = pd.DataFrame(
        {"sample_id": [suspect], "label": ["а"], "suggested_label": ["о"]}
        | {"suggested_probability": [0.98]}
    )
    return write_report(
        storage, results=RESULTS, verdict=VERDICT, per_class_report=CLASSES,
        label_suspects=suspects, roc=Figure((1, 1)), class_counts=Figure((1, 1)),
    )  # fmt: skip


def test_the_page_needs_nothing_beside_it(report: tuple[str, Reader, str]) -> None:
    html, reader, said = report
    assert reader.addresses
    assert all(re.match(r"data:image/webp;base64,|#", address) for address in reader.addresses)
    assert not re.search(r"https?://|@import|url\(", html)
    assert "default-src 'none'" in html
    assert "page.html" in said


def test_results_are_told_with_their_intervals_and_the_verdict(
    report: tuple[str, Reader, str],
) -> None:
    text = report[1].text
    for words in (
        "96.9 %", "95 % interval 96.6-97.2", "78.8 [76.5, 80.9]", "rukopys (unseen)",
        "mnist (digit network)", "99.7 [99.5, 99.8]",
        "The model may go into production: no model is in production.",
    ):  # fmt: skip
        assert words in text
    assert "another model" not in text


def test_each_label_has_a_row_that_can_be_sorted(report: tuple[str, Reader, str]) -> None:
    html = report[0]
    table = html[html.index("<table data-sortable>") :]
    assert '<th scope="row">ґ</th><td class="number" data-value="20.0">20</td>' in table
    assert 'data-value="0.7">70.0</td>' in table


def test_figures_have_words_in_their_place(report: tuple[str, Reader, str]) -> None:
    images, text = report[1].images, report[1].text
    assert [image["alt"] for image in images] == ["Samples of each symbol", "ROC"]
    assert "How well the probabilities rank" in text


def test_what_is_not_there_is_named_with_the_command_that_makes_it(
    report: tuple[str, Reader, str],
) -> None:
    text = report[1].text
    for title, pipeline in (
        ("Misread pairs", "evaluation"),
        ("From a raw image to a sample", "data_processing"),
        ("First stage: digits", "mnist_pretraining"),
        ("Second stage: all symbols", "finetuning"),
        ("Calibration", "evaluation"),
        ("Parity of torch and ONNX", "packaging"),
    ):
        assert f"{title}: kedro run --pipeline={pipeline} --env=test makes it" in text
    assert "ROC: kedro run" not in text


def test_what_files_say_is_text_and_no_markup(report: tuple[str, Reader, str]) -> None:
    html, reader, _ = report
    assert "<script>alert(1)" not in html
    assert "<script>alert(1)</script>" in reader.text


def test_it_says_how_it_was_made(report: tuple[str, Reader, str]) -> None:
    text = report[1].text
    for words in (
        "git revision: ", "environment: test", "7f50228b", "finetuning.max_epochs",
        "evaluation.robustness.samples", "61.3",
    ):  # fmt: skip
        assert words in text
    assert "benchmark." not in text


def test_of_nothing_the_page_says_how_to_begin(tmp_path: Path) -> None:
    _, reader, _ = write_report(tmp_path)
    assert (
        "There is no verdict. kedro run --pipeline=evaluation --env=test gives it." in reader.text
    )
    assert "Accuracy: kedro run --pipeline=evaluation --env=test makes it" in reader.text
    assert reader.images == []


def test_a_verdict_on_another_model_is_not_passed_off_as_its_own(tmp_path: Path) -> None:
    verdict = {"weights_sha256": "other", "is_accepted": False, "reason": "worse by 3 %"}
    text = write_report(tmp_path, results=RESULTS, verdict=verdict)[1].text
    assert "The model may not go into production: worse by 3 %. (This was said of another" in text


def test_every_figure_of_the_page_is_one_of_the_catalog() -> None:
    from bukva.report import parts
    from kedro_project import load_catalog

    catalog = load_catalog("base")
    named = [*parts.DATA, *parts.TRAINING, *parts.LABELS, *parts.PROBABILITIES]
    assert len(named) == 15
    for part in named:
        assert type(catalog.get(part.dataset)).__name__ == "TrackedFigureDataset"
    assert (PROJECT / "src/bukva/report/page.html").is_file()
