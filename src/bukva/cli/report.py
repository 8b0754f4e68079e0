"""`bukva report` and `bukva card`: the last run as one HTML page to send, and its model card.

What the page consists of, and in which order, is in `report.html`.
"""

import base64
import io
import math
import platform
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from bukva import __version__
from bukva.cli.options import ENV
from bukva.cli.session import open_session
from bukva.core.evaluation.markdown import ACCURACIES, format_share

if TYPE_CHECKING:
    import pandas as pd

GROUPS: Final = {
    "embedded", "data_processing", "mnist_pretraining", "finetuning", "evaluation", "packaging",
    "promotion",
}  # fmt: skip
"""Parameters of the main job; the other groups belong to runs that the page does not tell of."""

_LONGEST: Final = 25
"""So many rows of what is too long to be read."""

Load = Callable[[str], Any]
"""Returns what a dataset of the catalog holds, or None where it is not there."""


class Table(NamedTuple):
    """A table of texts, the first cell of a row being its name; and what its caption says of it."""

    head: list[str]
    rows: list[list[str]]
    note: str = ""


@click.command()
@click.option("--env", default="base", show_default=True, help="Environment of the run.")
@click.option(
    "--page", type=click.Path(path_type=Path), default=Path("docs/model_card.md"),
    show_default=True, help="Where to.",
)  # fmt: skip
def card(env: str, page: Path) -> None:
    """Copy the model card of the evaluation that ran last into the docs."""
    text = open_session(env).load_context().catalog.load("model_card")
    page.write_text(text, encoding="utf-8")
    click.echo(f"Wrote {page}: look at it before you publish it.")


@click.command()
@ENV
@click.option(
    "--to", type=click.Path(path_type=Path, dir_okay=False), default=Path("build/report.html"),
    show_default=True, help="Where to.",
)  # fmt: skip
def report(env: str, to: Path) -> None:
    """Put what the last run of each stage made and measured into one HTML file."""
    context = open_session(env).load_context()
    from jinja2 import Environment, PackageLoader, StrictUndefined

    from bukva.core.parameters import flatten
    from bukva.pipelines.parameters import validate_parameters
    from bukva.registry.revision import git_revision

    def load(name: str) -> Any:
        return context.catalog.load(name) if context.catalog.exists(name) else None

    facts = {
        "written": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "environment": env,
        "git revision": git_revision(),
        "bukva": __version__,
        "Python": platform.python_version(),
    }
    groups = validate_parameters(context.config_loader["parameters"]).model_dump(include=GROUPS)
    templates = Environment(
        loader=PackageLoader("bukva", "cli"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    templates.tests["number"] = re.compile(r"[\d.,\[\] ]+").fullmatch
    page = templates.get_template("report.html").render(
        env=env,
        facts=facts,
        headlines=_headlines(load("results") or {}),
        verdict=_describe_verdict(load),
        tables=_tables(load) | {"parameters": _facts(flatten(groups))},
        figure=lambda name: _to_data_uri(load(name)),
    )
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_text(page, encoding="utf-8")
    click.echo(f"Wrote {to} ({len(page.encode()) / 1e6:.1f} MB): one file, open it in a browser.")


def _headlines(results: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return what is in large print: its name, the share, its interval."""
    names = {"label": "letter or digit", "case": "case of letters", "both": "letter and case"}
    headlines = []
    for measure, name in names.items():
        key = f"all.{ACCURACIES[measure]}"
        if key in results:
            share, _, interval = format_share(results, key, 1).partition(" ")
            headlines.append((name, share, interval.strip("[]").replace(", ", "-")))
    return headlines


def _describe_verdict(load: Load) -> str:
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
    weights = (load("results") or {}).get("model.weights_sha256")
    packaged = (recogniser.sha256, recogniser.spec["weights_sha256"])
    if packaged != (verdict["candidate_sha256"], weights):
        said += " (This was said of another model than the one whose results follow.)"
    return said


def _tables(load: Load) -> dict[str, Table | None]:
    """Return the tables by the names that the template has for them, none for what is missing."""
    from bukva.cli.results import ACCURACY_HEAD, accuracy_rows

    results = load("results") or {}
    model = {
        "digest of the weights": results.get("model.weights_sha256", "-"),
        "fingerprint of the data": results.get("model.data_fingerprint", "-"),
        "trained on": ", ".join(results.get("model.corpora", "-")),
    }
    seconds = {key[8:]: f"{results[key]:,.1f}" for key in results if key.startswith("seconds.")}
    return {
        "accuracy": Table([*ACCURACY_HEAD], accuracy_rows(results)) if results else None,
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
        "model": _facts(model),
        "seconds": _facts(seconds),
    }  # fmt: skip


def _refusals(results: Mapping[str, Any]) -> Table | None:
    keys = [key for key in results if key.startswith("refusal.") and key.endswith(".refused")]
    if not keys:
        return None
    rows = [[key.split(".")[1], format_share(results, key, 1)] for key in keys]
    return Table(["kind", "refused"], rows, format_share(results, "refusal.kept", 1))


def _splits(report: Mapping[str, Any] | None) -> Table | None:
    if report is None:
        return None
    from bukva.core.evaluation.figures.style import corpus_title

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


def _tabulate(
    frame: "pd.DataFrame | None", most: int | None = None, **columns: str
) -> Table | None:
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
    from PIL import Image

    buffer = io.BytesIO()
    Image.open(io.BytesIO(png)).save(buffer, "WEBP", lossless=True)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
