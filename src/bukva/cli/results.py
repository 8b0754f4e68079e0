"""The results of a job as a person reads them."""

import json
from collections.abc import Mapping
from typing import Any, Final

from kedro.io import CatalogProtocol
from rich.table import Table

from bukva.cli.tables import make_table, show
from bukva.core.evaluation.figures.style import corpus_title
from bukva.core.evaluation.markdown import ACCURACIES, format_share, scopes_of
from bukva.core.evaluation.verdict import Decision
from bukva.registry.models import PackagedModel
from bukva.registry.package_files import PRODUCTION_ALIAS

ACCURACY_HEAD: Final = ("test samples", "n", *ACCURACIES)


def print_results(catalog: CatalogProtocol[Any, Any], figures_folder: str) -> None:
    """Print accuracies, seconds, where the figures lie, and what to do next."""
    results = catalog.load("results")
    show(
        "",
        accuracy_table(results),
        seconds_table(results),
        f"Figures and results: {figures_folder}/ (results.json, *.png)",
        describe_decision(Decision.model_validate(catalog.load("decision"))),
        describe_production(catalog.load("registered_models")[PRODUCTION_ALIAS]),
        "Next: [bold]make serve[/] answers on http://127.0.0.1:8000, "
        "[bold]make viz[/] shows the pipelines.",
    )


def accuracy_table(results: dict[str, Any]) -> Table:
    """Return accuracies in per cent with 95 % intervals, one row a set of test samples."""
    title = "Accuracy on test samples, % [95 % interval]"
    return make_table(title, ACCURACY_HEAD, accuracy_rows(results), are_numbers=True)


def accuracy_rows(results: Mapping[str, Any]) -> list[list[str]]:
    """Return the cells of a table of accuracies below `ACCURACY_HEAD`."""
    trained_on = ("all", "published", *results["model.corpora"])
    rows = []
    for scope in scopes_of(results):
        name = corpus_title(scope) if scope in trained_on else f"{scope} (unseen)"
        shares = [format_share(results, f"{scope}.{key}", 1) for key in ACCURACIES.values()]
        rows.append([name, f"{results[f'{scope}.label_accuracy.n']:,}", *shares])
    for key in sorted(results):
        if key.endswith(".accuracy"):
            name = f"{key.removesuffix('.accuracy')} (digit network)"
            share = format_share(results, key, 1)
            rows.append([name, f"{results[f'{key}.n']:,}", share, "", "", ""])
    return rows


def seconds_table(results: dict[str, Any]) -> Table:
    """Return the seconds of each stage."""
    seconds = {
        key.removeprefix("seconds."): value
        for key, value in results.items()
        if key.startswith("seconds.")
    }
    seconds["all"] = sum(seconds.values())
    rows = [(stage, f"{value:.1f}") for stage, value in seconds.items()]
    return make_table("Time by stage", ("stage", "seconds"), rows, are_numbers=True)


def describe_decision(decision: Decision) -> str:
    """Return in one sentence what became of the model."""
    if decision.is_known:
        return f"Model: {decision.reason}."
    if decision.is_promoted:
        return f"Model: registered, and now in production: {decision.reason}."
    return (
        f"Model: registered, but not put into production: {decision.reason}. To do it all the "
        "same: kedro run --pipeline=promotion --params=promotion.force=true"
    )


def describe_production(production: PackagedModel) -> str:
    """Return which model answers now, and what it takes to replace a released one."""
    tags = production.tags
    if tags.get("released") != "true":
        tested = ", ".join(json.loads(tags["corpora"]))
        return f"In production: version {production.version}, made here, tested on {tested}."
    trained = ", ".join(json.loads(tags["trained_on"]))
    return (
        f"In production: version {production.version}, the model released with the project, "
        f"trained on {trained}. Only a model tested on the same corpora can replace it: "
        "make corpora, then make run ENV=real."
    )
