import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from job_storage import Storage

from bukva.core.corpora.terms import EMBEDDED_TERMS
from bukva.tasks.glyph.charset import CLASSES
from bukva.tasks.glyph.evaluation.model_card import describe_model, write_model_card
from bukva.tasks.glyph.trained import TrainedModel

TEMPLATE = (Path(__file__).parents[4] / "conf" / "base" / "model_card.md").read_text()
DETAILS = {"network": "", "refuses": "", "weights_sha256": "", "data_fingerprint": ""}


@pytest.fixture(scope="module")
def results(job: Storage) -> dict[str, Any]:
    return job.report("results.json")


def card(job: Storage, results: dict[str, Any], template: str = TEMPLATE) -> str:
    tables = (job.load("robustness"), job.load("conditions"))
    return write_model_card(template, DETAILS, results, *tables, EMBEDDED_TERMS)


def percent(results: dict[str, Any], key: str) -> str:
    low, high = results[f"{key}.ci95"]
    return f"{100 * results[key]:.2f} [{100 * low:.2f}, {100 * high:.2f}]"


def test_the_card_holds_what_was_measured(job: Storage, results: dict[str, Any]) -> None:
    text = card(job, results)
    label, top3 = (percent(results, f"digits.{name}_accuracy") for name in ("label", "top3"))
    assert f"| digits | {results['digits.label_accuracy.n']} | {label} | {top3} | - |" in text
    assert re.search(rf"\| digits \| \d+ \| {results['digits.macro_recall']:.2%}"[:-1], text)
    robustness = job.load("robustness").set_index(["shift", "strength", "corpus"])["accuracy"]
    for name, shift in (
        ("as stored", ("stored", 0)),
        ("noise, deviation 25 of 255", ("noise", 25)),
    ):
        cells = [f"{100 * robustness[(*shift, corpus)]:.1f}" for corpus in ("digits", "strokes")]
        assert f"| {name} | {' | '.join(cells)} |" in text
    assert "strokes (synthetic)" in text
    assert "- **strokes (synthetic)**: The stroke alphabet" in text
    assert f"| blank | {percent(results, 'refusal.blank.refused')} |" in text
    assert "$" not in text


def test_the_card_of_the_run_is_this_one(job: Storage, results: dict[str, Any]) -> None:
    model = job.load("finetuning.model")
    terms = {name: EMBEDDED_TERMS[name] for name in model.spec.corpora}
    assert len(terms) == 3
    template = job.load("model_card_template")
    tables = (job.load("robustness"), job.load("conditions"))
    written = write_model_card(template, describe_model(model), results, *tables, terms)
    assert written == job.load("model_card")


def test_the_card_tells_what_is_read_on_paper(job: Storage, results: dict[str, Any]) -> None:
    conditions = job.load("conditions").set_index("condition")
    text = card(job, results)
    for name, title in (("clean", "clean"), ("kraft", "ballpoint on brown paper *")):
        right, refused = (f"{100 * conditions.loc[name, of]:.1f}" for of in ("right", "refused"))
        assert f"| {title} | {right} | {refused} | " in text


def test_a_model_that_refuses_nothing_says_so(job: Storage, results: dict[str, Any]) -> None:
    kept = {key: value for key, value in results.items() if not key.startswith("refusal.")}
    assert "Not measured: the model always answers" in card(job, kept)


def test_the_card_says_what_the_model_is(make_model: Callable[..., TrainedModel]) -> None:
    model = make_model(labels=CLASSES)
    details = describe_model(model)
    weights = sum(item.numel() for item in model.to_network().parameters())
    assert details["network"] == (
        f'`glyph_cnn` `{{"dropout": 0.2, "width": 4}}`, 44 classes, {weights:,} weights.'
    )
    assert details["weights_sha256"] == model.digest()
    assert "no symbol" in details["refuses"]
    assert describe_model(make_model())["refuses"] == ""


def test_a_name_that_nothing_is_known_of_is_an_error(job: Storage, results: dict[str, Any]) -> None:
    with pytest.raises(KeyError, match="luck"):
        card(job, results, "$luck")
