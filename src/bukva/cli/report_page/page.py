"""One HTML page about a run that a person can send: what was measured, with nothing beside it.

What the page consists of, and in which order, is in `page.html`.
"""

import base64
import io
import math
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from PIL import Image

from bukva.core.evaluation.figures.style import corpus_title
from bukva.core.evaluation.markdown import ACCURACIES, format_share, scopes_of

_LONGEST: Final = 25
"""So many rows of what is too long to be read."""

Load = Callable[[str], Any]
"""Returns what a dataset of the catalog holds, or None where it is not there."""


class Table(NamedTuple):
    """A table of texts; the first cell of a row names it.

    Attributes:
        head: Names of the columns.
        rows: As many cells each.
        note: What its caption says of these rows.
    """

    head: list[str]
    rows: list[list[str]]
    note: str = ""


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
    results: dict[str, Any] = load("results") or {}
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["number"] = re.compile(r"[\d.,\[\] ]+").fullmatch
    return environment.get_template("page.html").render(
        env=env,
        facts=facts,
        headlines=list(_headlines(results)),
        verdict=_describe_verdict(load, results),
        tables={
            "accuracy": results and _accuracies(results),
            "refusals": _refusals(results),
            "splits": _splits(load("data_report")),
            "labels": _tabulate(
                load("per_class_report"), label="label", n="support", precision="precision",
                recall="recall", F1="f1", case="case_accuracy",
            ),
            "pairs": _tabulate(
                load("misread_pairs"), _LONGEST, written="label", read="predicted_label",
                samples="count", share="share",
            ),
            "suspects": _tabulate(
                load("label_suspects"), _LONGEST, sample="sample_id", label="label",
                suggested="suggested_label", probability="suggested_probability",
            ),
            "parity": _facts(load("parity")),
            "model": _facts(
                {
                    "digest of the weights": results.get("model.weights_sha256", "-"),
                    "fingerprint of the data": results.get("model.data_fingerprint", "-"),
                    "trained on": ", ".join(results.get("model.corpora", "-")),
                }
            ),
            "seconds": _facts(
                {key[8:]: f"{results[key]:,.1f}" for key in results if key.startswith("seconds.")}
            ),
            "parameters": _facts(parameters),
        },
        figure=lambda name: _to_data_uri(load(name)),
    )  # fmt: skip


def _headlines(results: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield what is in large print: its name, the share, its interval."""
    names = {"label": "letter or digit", "case": "case of letters", "both": "letter and case"}
    for measure, name in names.items():
        key = f"all.{ACCURACIES[measure]}"
        if key in results:
            share, _, interval = format_share(results, key, 1).partition(" ")
            yield name, share, interval.strip("[]").replace(", ", "-")


def _describe_verdict(load: Load, results: Mapping[str, Any]) -> str:
    """Return what promotion said and did, and whether it was of the model that the page is about.

    The verdict names an ONNX file, the results name weights: the recogniser that was packaged last
    is one and holds the other.
    """
    verdict, decision, recogniser = load("verdict"), load("decision"), load("recogniser")
    if verdict is None:
        return ""
    may = "may" if verdict["is_accepted"] else "may not"
    said = f"The model {may} go into production: {verdict['reason']}."
    if decision and decision["is_promoted"] and not verdict["is_accepted"]:
        said += " It was put there all the same, by promotion.force."
    if recogniser is None:
        return f"{said} (It is not known here whether this is the model whose results follow.)"
    packaged = (recogniser.sha256, recogniser.spec["weights_sha256"])
    if packaged != (verdict["candidate_sha256"], results.get("model.weights_sha256")):
        said += " (This was said of another model than the one whose results follow.)"
    return said


def _accuracies(results: Mapping[str, Any]) -> Table:
    trained_on = ("all", "published", *results["model.corpora"])
    rows = []
    for scope in scopes_of(results):
        name = corpus_title(scope) + ("" if scope in trained_on else " (unseen)")
        shares = [format_share(results, f"{scope}.{key}", 1) for key in ACCURACIES.values()]
        rows.append([name, f"{results[f'{scope}.label_accuracy.n']:,}", *shares])
    for key in sorted(results):
        if key.endswith(".accuracy"):
            name = f"{corpus_title(key.removesuffix('.accuracy'))} (digit network)"
            rows.append(
                [name, f"{results[f'{key}.n']:,}", format_share(results, key, 1), "", "", ""]
            )
    return Table(["test samples", "n", *ACCURACIES], rows)


def _refusals(results: Mapping[str, Any]) -> Table | None:
    keys = [key for key in results if key.startswith("refusal.") and key.endswith(".refused")]
    if not keys:
        return None
    rows = [[key.split(".")[1], format_share(results, key, 1)] for key in keys]
    return Table(["kind", "refused"], rows, format_share(results, "refusal.kept", 1))


def _splits(report: Mapping[str, Any] | None) -> Table | None:
    if report is None:
        return None
    splits = ["train", "valid", "test"]
    rows = [
        [corpus_title(corpus), *(f"{sizes.get(split, 0):,}" for split in splits)]
        for corpus, sizes in report["samples"].items()
    ]
    note = (
        f"{report['duplicates'].get('dropped', 0):,} samples were dropped as copies of others that "
        f"would stand on both sides of a split; {len(report['rejected']):,} images could not be "
        "read"
    )
    return Table(["corpus", *splits], rows, note)


def _tabulate(frame: pd.DataFrame | None, most: int | None = None, **columns: str) -> Table | None:
    """Return columns by the names that are shown, and of how many rows these are the first."""
    if frame is None:
        return None
    chosen = frame[[*columns.values()]][:most]
    rows = [[_show(value) for value in row] for row in chosen.itertuples(index=False)]
    return Table([*columns], rows, f"{len(rows):,} of {len(frame):,}")


def _show(value: object) -> str:
    """Return a share as per cent, a count or a text as it is, and what is absent as nothing."""
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{100 * value:.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _facts(facts: Mapping[str, object] | None) -> Table | None:
    return Table(["name", "value"], [[key, f"{facts[key]}"] for key in facts]) if facts else None


def _to_data_uri(png: bytes | None) -> str:
    """Return an address that is the figure itself: as WebP, without loss, half as large."""
    if png is None:
        return ""
    buffer = io.BytesIO()
    Image.open(io.BytesIO(png)).save(buffer, "WEBP", lossless=True)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
