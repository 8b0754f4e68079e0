"""`bukva retrain`: learn from corrections too, and end in a candidate, not in production."""

from typing import TYPE_CHECKING, Any, Final

import click

from bukva.cli.job import PARTS, reports_folder, run_parts
from bukva.cli.options import ENV, PARAMS, to_plain
from bukva.cli.release import describe_installation, install_released
from bukva.cli.session import open_session

if TYPE_CHECKING:
    from bukva.core.evaluation.verdict import Verdict

_LEARNING: Final = {"Corrections": "feedback_ingestion"}


@click.command()
@ENV
@PARAMS
def retrain(env: str, params: dict[str, Any]) -> None:
    """Run feedback_ingestion and the main job; the new model is registered, not promoted."""
    # First: corrections are compared with what is in production.
    click.echo(describe_installation(install_released(env, params)))
    run_parts(_LEARNING, env, params)
    report = open_session(env).load_context().catalog.load("feedback_report")
    click.echo(describe_feedback(report))
    if not report["learnt"]:
        click.echo("There is nothing to learn from, so nothing was trained.")
        return
    run_parts(PARTS, env, add_feedback(env, params, report["weight"]))
    _print_candidate(env, report)


def add_feedback(env: str, params: dict[str, Any], weight: float) -> dict[str, Any]:
    """Return parameters with which the job learns from feedback, and leaves production alone.

    What the environment or the caller says of the corpora counts.
    """
    from omegaconf import OmegaConf

    config = open_session(env, params).load_context().config_loader
    given = config["parameters"]
    corpora = list(given["data_processing"]["corpora"])
    own: dict[str, Any] = {"data_processing": {"corpora": [*corpora, "feedback"]}}
    if "feedback" in corpora:
        own = {}
    if not given["finetuning"]["corpora"].get("feedback"):
        own["finetuning"] = {"corpora": {"feedback": weight}}
    return to_plain(OmegaConf.merge(params, own, {"promotion": {"promote": False}}))


def describe_feedback(report: dict[str, Any]) -> str:
    """Return what became of the corrections, in a few lines."""
    from bukva.tasks.glyph.feedback.selection import OUTCOMES, SET_ASIDE

    counts = report["outcomes"]
    lines = [f"Corrections: {report['corrections']}"]
    lines += [f"  {meaning}: {counts[name]}" for name, meaning in OUTCOMES.items() if counts[name]]
    if report["symbols"]:
        symbols = ", ".join(f"{symbol} {count}" for symbol, count in report["symbols"].items())
        lines.append(f"Learnt from: {symbols}")
    if counts[SET_ASIDE]:
        lines.append("To decide what was set aside: make review")
    return "\n".join(lines)


def _print_candidate(env: str, report: dict[str, Any]) -> None:
    from bukva.cli.results import accuracy_table
    from bukva.cli.tables import show
    from bukva.core.evaluation.verdict import Verdict

    context = open_session(env).load_context()
    results, verdict = context.catalog.load("results"), context.catalog.load("verdict")
    show("", accuracy_table(results))
    click.echo(describe_feedback(report))
    click.echo(f"Figures and results: {reports_folder(context)}/")
    click.echo(describe_verdict(Verdict.model_validate(verdict)))
    click.echo("The new model is registered as candidate; production is as it was. To promote it:")
    click.secho(f"  python -m bukva model promote candidate --env={env}", bold=True)


def describe_verdict(verdict: "Verdict") -> str:
    """Return in a sentence whether the new model may take the place of the one in production."""
    place = f"version {verdict.production_version}" if verdict.production_version else "no version"
    may = "may" if verdict.is_accepted else "may not"
    return f"Verdict: it {may} take the place of {place}: {verdict.reason}."
