"""The page itself: what was measured, put into one HTML file that needs nothing beside it."""

import base64
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from PIL import Image

from bukva.evaluation.markdown import format_share
from bukva.report import parts, tables
from bukva.report.parts import FigurePart
from bukva.report.tables import Table

Load = Callable[[str], Any]
"""Returns what a dataset of the catalog holds, or None where it is not there."""


@dataclass(frozen=True)
class Figure:
    """A figure and the file that it is."""

    part: FigurePart
    source: str


@dataclass(frozen=True)
class Missing:
    """What is not there, and the pipeline that makes it."""

    title: str
    pipeline: str


@dataclass(frozen=True)
class Section:
    """A section of the page."""

    name: str
    title: str
    tables: list[Table] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)


@dataclass(frozen=True)
class Headline:
    """A result in large print."""

    name: str
    share: str
    interval: str


def write_page(
    load: Load, facts: Mapping[str, object], parameters: Mapping[str, object], env: str
) -> str:
    """Return a report of what lies in the catalog as one HTML page.

    Args:
        load: Gets datasets by name.
        facts: Names and values of how and when the page was made.
        parameters: By dotted name.
        env: The environment, for the commands that make what is missing.

    Raises:
        jinja2.TemplateError: If the template asks for what there is not.
    """
    results = load("results") or {}
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html").render(
        env=env,
        facts=facts,
        headlines=list(_headlines(results)),
        verdict=_describe_verdict(results, load("verdict")),
        sections=[*_sections(load, results), _describe_making(load, results, parameters)],
    )


def _headlines(results: Mapping[str, Any]) -> Iterator[Headline]:
    names = {"label": "letter or digit", "case": "case of letters", "both": "letter and case"}
    for measure, name in names.items():
        key = f"all.{tables.MEASURES[measure]}"
        if key in results:
            share, _, interval = format_share(results, key, 1).partition(" ")
            yield Headline(name, share, interval.strip("[]").replace(", ", "-"))


def _describe_verdict(results: Mapping[str, Any], verdict: Mapping[str, Any] | None) -> str:
    if verdict is None:
        return ""
    said = "may go into production" if verdict["is_accepted"] else "may not go into production"
    sentence = f"The model {said}: {verdict['reason']}."
    if verdict["weights_sha256"] == results.get("model.weights_sha256"):
        return sentence
    return f"{sentence} (This was said of another model than the one whose results follow.)"


def _sections(load: Load, results: Mapping[str, Any]) -> Iterator[Section]:
    yield _section("results", "Results", [
        ("Accuracy", "evaluation", tables.tabulate_accuracies(results) if results else None),
        ("What is refused", "evaluation", tables.tabulate_refusals(results)),
    ], (), load)  # fmt: skip
    yield _section("data", "Data", [
        ("Samples", "data_processing", _map(tables.tabulate_splits, load("data_report"))),
    ], parts.DATA, load)  # fmt: skip
    yield _section("training", "Training", [], parts.TRAINING, load)
    yield _section("labels", "Letters and digits", [
        ("Each label", "evaluation", _map(tables.tabulate_classes, load("per_class_report"))),
        ("Misread pairs", "evaluation", _map(tables.tabulate_misread_pairs, load("misread_pairs"))),
        ("Suspects", "evaluation", _map(tables.tabulate_suspects, load("label_suspects"))),
    ], parts.LABELS, load)  # fmt: skip
    yield _section("probabilities", "Probabilities and disturbances", [], parts.PROBABILITIES, load)


def _section(
    name: str,
    title: str,
    wanted: list[tuple[str, str, Table | None]],
    figures: tuple[FigurePart, ...],
    load: Load,
) -> Section:
    section = Section(name, title)
    for what, pipeline, table in wanted:
        if table is None:
            section.missing.append(Missing(what, pipeline))
        else:
            section.tables.append(table)
    for part in figures:
        content = load(part.dataset)
        if content is None:
            section.missing.append(Missing(part.title, part.pipeline))
        else:
            section.figures.append(Figure(part, _to_data_uri(content)))
    return section


def _describe_making(
    load: Load, results: Mapping[str, Any], parameters: Mapping[str, object]
) -> Section:
    wanted = [("Parity of torch and ONNX", "packaging", _map(_tabulate_parity, load("parity")))]
    section = _section("making", "How it was made", wanted, (), load)
    model = {
        "digest of the weights": results.get("model.weights_sha256", "-"),
        "fingerprint of the data": results.get("model.data_fingerprint", "-"),
        "trained on": ", ".join(results.get("model.corpora", ["-"])),
    }
    seconds = {
        key.removeprefix("seconds."): f"{value:,.1f}"
        for key, value in results.items()
        if key.startswith("seconds.")
    }
    section.tables.insert(0, tables.tabulate_facts("Model", model))
    section.tables.append(tables.tabulate_facts("Seconds by stage", seconds))
    section.tables.append(tables.tabulate_facts("Parameters", parameters))
    return section


def _tabulate_parity(parity: Mapping[str, float]) -> Table:
    return tables.tabulate_facts("Parity of torch and ONNX", parity)


def _map(tabulate: Callable[[Any], Table], content: Any) -> Table | None:
    return None if content is None else tabulate(content)


def _to_data_uri(png: bytes) -> str:
    """Return an address that is the figure itself: as WebP, without loss, half as large."""
    buffer = io.BytesIO()
    Image.open(io.BytesIO(png)).save(buffer, "WEBP", lossless=True)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
