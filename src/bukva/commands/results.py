"""The results of a job as a person reads them."""

import json
from typing import Any

from kedro.io import CatalogProtocol
from rich.console import Console
from rich.table import Table

from bukva.model_registry.models import PackagedModel
from bukva.model_registry.names import PRODUCTION_ALIAS

_MEASURES = {
    "label": "{}.label_accuracy",
    "letters": "{}.letters.label_accuracy",
    "case": "{}.letters.case_accuracy",
    "both": "{}.letters.joint_accuracy",
}
# Below this the intervals wrap.
_NARROWEST_COLUMNS = 124
_SYNTHETIC = {"strokes": "strokes (synthetic)"}


def print_results(catalog: CatalogProtocol[Any, Any], figures_folder: str) -> None:
    """Print accuracies, seconds, where the figures lie, and what to do next."""
    results, decision = catalog.load("results"), catalog.load("decision")
    console = wide_console()
    console.print()
    console.print(accuracy_table(results))
    console.print(seconds_table(results))
    console.print(f"Figures and results: {figures_folder}/ (results.json, *.png)")
    console.print(describe_decision(decision))
    console.print(describe_production(catalog.load("registered_models")[PRODUCTION_ALIAS]))
    console.print(
        "Next: [bold]make serve[/] answers on http://127.0.0.1:8000, "
        "[bold]make viz[/] shows the pipelines."
    )


def wide_console() -> Console:
    """Return a console on which the intervals of the table do not wrap."""
    console = Console()
    console.width = max(console.width, _NARROWEST_COLUMNS)
    return console


def accuracy_table(results: dict[str, Any]) -> Table:
    """Return accuracies in per cent with 95 % intervals, one row a set of test samples."""
    table = Table(title="Accuracy on test samples, % [95 % interval]")
    table.add_column("test samples")
    table.add_column("n", justify="right")
    for name in _MEASURES:
        table.add_column(name, justify="right")
    for scope in _scopes(results):
        count = f"{results[f'{scope}.label_accuracy.n']}"
        cells = [_cell(results, key.format(scope)) for key in _MEASURES.values()]
        table.add_row(_name_scope(scope, results), count, *cells)
    for key in sorted(results):
        if key.endswith(".accuracy"):
            name = f"{key.removesuffix('.accuracy')} (digit network)"
            table.add_row(name, f"{results[f'{key}.n']}", _cell(results, key), "", "", "")
    return table


def seconds_table(results: dict[str, Any]) -> Table:
    """Return the seconds of each stage."""
    table = Table(title="Time by stage")
    table.add_column("stage")
    table.add_column("seconds", justify="right")
    stages = {key: value for key, value in results.items() if key.startswith("seconds.")}
    for key, value in stages.items():
        table.add_row(key.removeprefix("seconds."), f"{value:.1f}")
    table.add_section()
    table.add_row("all", f"{sum(stages.values()):.1f}")
    return table


def describe_decision(decision: dict[str, Any]) -> str:
    """Return in one sentence what became of the model."""
    if decision["is_known"]:
        return f"Model: {decision['reason']}."
    if decision["is_promoted"]:
        return f"Model: registered, and now in production: {decision['reason']}."
    return (
        f"Model: registered, but not put into production: {decision['reason']}. To do it all the "
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


def _name_scope(scope: str, results: dict[str, Any]) -> str:
    """Return a set of samples as people call it, and whether the model saw none of its kind."""
    trained = results["model.corpora"]
    is_unseen = scope not in ("all", "published", *trained)
    return f"{scope} (unseen)" if is_unseen else _SYNTHETIC.get(scope, scope)


def _scopes(results: dict[str, Any]) -> list[str]:
    suffix = ".label_accuracy"
    found = [
        key.removesuffix(suffix)
        for key in results
        if key.endswith(suffix) and not key.endswith(".letters.label_accuracy")
    ]
    return sorted(found, key=lambda scope: (scope == "all", scope == "published", scope))


def _cell(results: dict[str, Any], key: str) -> str:
    if key not in results:
        return "-"
    low, high = results[f"{key}.ci95"]
    return f"{results[key]:.1%} [{low:.1%}, {high:.1%}]".replace("%", "")
