"""The results of a job as a person reads them."""

import json
from typing import Any

from kedro.io import CatalogProtocol
from rich.table import Table

from bukva.cli.tables import format_share, make_table, show
from bukva.core.evaluation.verdict import Decision
from bukva.registry.history import find_metrics
from bukva.registry.models import PackagedModel
from bukva.registry.names import PRODUCTION_ALIAS

_MEASURES = {
    "label": "{}.label_accuracy",
    "letters": "{}.letters.label_accuracy",
    "case": "{}.letters.case_accuracy",
    "both": "{}.letters.joint_accuracy",
}
_SYNTHETIC = {"strokes": "strokes (synthetic)"}


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
    metrics, suffix = find_metrics(results), ".label_accuracy"
    scopes = [
        key.removesuffix(suffix)
        for key in metrics
        if key.endswith(suffix) and not key.endswith(f".letters{suffix}")
    ]
    rows = []
    for scope in sorted(scopes, key=lambda scope: (scope == "all", scope == "published", scope)):
        cells = [format_share(metrics.get(key.format(scope))) for key in _MEASURES.values()]
        count = str(results[f"{scope}{suffix}.n"])
        rows.append([_name_scope(scope, results["model.corpora"]), count, *cells])
    for key in sorted(metrics):
        if key.endswith(".accuracy"):
            name = f"{key.removesuffix('.accuracy')} (digit network)"
            rows.append([name, str(results[f"{key}.n"]), format_share(metrics[key]), "", "", ""])
    title = "Accuracy on test samples, % [95 % interval]"
    return make_table(title, ("test samples", "n", *_MEASURES), rows, are_numbers=True)


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


def _name_scope(scope: str, trained_on: list[str]) -> str:
    """Return a set of samples as people call it, and whether the model saw none of its kind."""
    is_unseen = scope not in ("all", "published", *trained_on)
    return f"{scope} (unseen)" if is_unseen else _SYNTHETIC.get(scope, scope)
