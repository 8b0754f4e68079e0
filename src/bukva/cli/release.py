"""`bukva release`: make the released model of a finished run; register it on a fresh clone."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from bukva.cli.options import ENV
from bukva.errors import RegistryError

if TYPE_CHECKING:
    from bukva.cli.released.installing import Installation
    from bukva.cli.released.making import FinishedRun
    from bukva.serving.settings import TaskName


TASKS: Final[tuple["TaskName", ...]] = ("glyph", "document", "line")


@click.group()
def release() -> None:
    """Make the released model, or register it."""


@release.command()
@click.option("--env", default="released", show_default=True, help="Environment of the run.")
@click.option("--to", "folder", type=Path, help="Where to; without it, into the package.")
@click.option("--note", default="", help="A sentence for its card.")
def make(env: str, folder: Path | None, note: str) -> None:
    """Make a release of the model of the run that was finished last."""
    from bukva.cli.released.making import describe_release, make_release
    from bukva.cli.released.manifest import RELEASED
    from bukva.cli.session import open_session
    from bukva.registry.package_files import MODEL_NAME
    from bukva.registry.registry import find_same
    from bukva.registry.revision import git_revision

    catalog = open_session(env).load_context().catalog
    run, terms = read_run(catalog), read_terms(catalog)
    known = find_same(MODEL_NAME, run.recogniser.sha256)
    described = describe_release(
        run,
        terms,
        name=MODEL_NAME,
        version=datetime.now(UTC).date().isoformat(),
        git_revision=known.tags["git_revision"] if known else git_revision(),
        note=note,
    )
    folder = folder or RELEASED
    tolerance = _to_plain(catalog.load("params:packaging"))["parity_tolerance"]
    make_release(run, described, folder, tolerance=tolerance)
    click.echo(f"Released {described.name} {described.version}, trained on ", nl=False)
    click.echo(f"{', '.join(described.trained_on)}: {folder}")


@release.command("install")
@ENV
@click.option("--if-none", is_flag=True, help="Only those of which none is in production.")
def install_command(env: str, if_none: bool) -> None:
    """Register the released models; put each into production if none of its task is."""
    wanted = [task for task in TASKS if not (if_none and _is_served(task))]
    if not wanted:
        return
    _open_registry(env)
    from bukva.cli.released.installing import install, install_reader
    from bukva.cli.released.manifest import RELEASED

    if "glyph" in wanted:
        click.echo(describe_installation(install(RELEASED)))
    for task in wanted:
        if task != "glyph":
            click.echo(install_reader(task, RELEASED / task))


def install_released(env: str, params: dict[str, Any] | None = None) -> "Installation":
    """Register the released model in the registry of an environment.

    Raises:
        BukvaError: As `bukva.cli.released.installing.install`, or if the parameters do
            not validate.
    """
    _open_registry(env, params)
    from bukva.cli.released.installing import install
    from bukva.cli.released.manifest import RELEASED

    return install(RELEASED)


def _open_registry(env: str, params: dict[str, Any] | None = None) -> None:
    from bukva.cli.session import open_session

    open_session(env, params).load_context()


def describe_installation(done: "Installation") -> str:
    """Return in a sentence what became of the released model."""
    how = "registered" if done.is_new else "known"
    trained_on = ", ".join(done.release.trained_on)
    what = f"Released model {done.release.version} (trained on {trained_on}), {how} as"
    if done.in_production == done.version:
        return f"{what} version {done.version}, is in production."
    return f"{what} version {done.version}; in production is version {done.in_production}."


def _is_served(task: "TaskName") -> bool:
    """Return whether the service finds a model of a task, or does not look for one.

    A registry behind a server is taken to have one.
    """
    from bukva.registry.package_files import sqlite_path
    from bukva.serving.settings import read_settings
    from bukva.serving.versions import find_version

    settings = read_settings()
    if task not in settings.tasks or sqlite_path(settings.tracking_uri) is None:
        return True
    settings = settings if task == "glyph" else settings.for_reader(task)
    try:
        find_version(settings)
    except RegistryError:
        return False
    return True


def read_run(catalog: Any) -> "FinishedRun":
    """Return what the main job left."""
    from bukva.cli.released.making import FinishedRun
    from bukva.registry.package_files import REFERENCE

    return FinishedRun(
        model=catalog.load("finetuning.model"),
        recogniser=catalog.load("recogniser"),
        results=catalog.load("results"),
        table=catalog.load("sample_table"),
        images_NHW=catalog.load("sample_images"),
        reports={
            REFERENCE: json.dumps(catalog.load("drift_reference"), ensure_ascii=False).encode(),
            "label_confusion.png": catalog.load("label_confusion"),
            "case_confusion.png": catalog.load("case_confusion"),
        },
    )


def _to_plain(group: Any) -> Any:
    """Return a parameter group as plain values; Kedro gives it typed where its nodes are loaded."""
    return group.model_dump(mode="json") if hasattr(group, "model_dump") else group


def read_terms(catalog: Any) -> dict[str, Any]:
    """Return the terms of all corpora, by name."""
    from bukva.core.corpora.manifest import parse_manifest
    from bukva.core.corpora.terms import EMBEDDED_TERMS

    return {**parse_manifest(catalog.load("corpora_manifest")), **EMBEDDED_TERMS}
