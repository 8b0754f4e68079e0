"""`bukva experiments`: do the runs of a file, say where they stand, compare them."""

import signal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bukva.commands.session import open_project, open_session
from bukva.errors import ExperimentError

if TYPE_CHECKING:
    from bukva.experiments.plan import Experiment, Run
    from bukva.experiments.tracking import Tracker

_FILE = click.argument("file", type=click.Path(path_type=Path))


@click.group()
def experiments() -> None:
    r"""Do the runs of a YAML file, in one MLflow experiment, and compare them.

    \b
    experiment: ablation          # name in MLflow, and of the folder of the results
    env: real                     # folder of conf/ (base)
    pipelines: [finetuning, evaluation]   # what each run consists of (these)
    defaults:                     # for all runs; any parameter by its dotted name
      finetuning.max_epochs: 8
    grid:                         # each run once for each combination
      finetuning.seed: [1, 2, 3]
    runs:                         # the first is what the others are compared with
      - name: full
      - name: without_elastic
        finetuning.augmentation.elastic_strength: 0.0
      - name: letters_only
        corpora: {strokes: 1.0}   # of finetuning, and no others
      - name: other_network
        network: lenet            # of both training stages

    Data, and models that the pipelines take but do not make, are those of the ordinary runs. What a
    run makes lies in <storage>/experiments/<experiment>/<run>/, with its log (log.txt), the
    arguments of its `kedro run` (run.yml) and what became of it (record.json).
    """


@experiments.command()
@_FILE
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1), help="At once.")
@click.option("--only", multiple=True, metavar="NAME", help="This run; may be given repeatedly.")
@click.option("--force", is_flag=True, help="Do also what is done, from its beginning.")
def run(file: Path, workers: int, only: tuple[str, ...], force: bool) -> None:
    """Do the runs of FILE that are not done, then compare all of them.

    A run is done when it ended well with the same parameters and data; the code is not looked at.
    A run that was stopped, or failed, goes on from its checkpoint. Each worker is a process with
    its share of the cores, unless OMP_NUM_THREADS says otherwise. Ctrl+C stops them all; the same
    command goes on. The exit code is 1 if a run failed.
    """
    # As Ctrl+C: the processes of the workers are not left behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    experiment = _open(file)
    todo = _select(experiment, only, force)
    experiment.work.check_inputs()
    tracker = _track(experiment)
    failed = _conduct(experiment, todo, tracker, workers, force)
    _compare(experiment, tracker)
    if failed:
        message = f"{len(failed)} of {len(todo)} runs failed ({', '.join(failed)}), see above"
        raise ExperimentError(f"{message}. The same command does them again, and no others.")


@experiments.command("list")
@_FILE
def list_runs(file: Path) -> None:
    """List the runs of FILE: where they stand, their seconds, and what differs from FILE's env.

    `run` would do the pending and the changed ones, and go on with stopped and failed ones.
    """
    experiment = _open(file)
    from bukva.experiments.records import read_record
    from bukva.experiments.running import status_of

    for run in experiment.runs:
        record = read_record(experiment.folder() / run.name)
        seconds = f"{record.seconds:.0f} s" if record and record.seconds else "-"
        values = " ".join(f"{name}={value}" for name, value in run.overrides.items())
        click.echo(f"{status_of(experiment, run):<9}{run.name:<24}{seconds:>8}  {values}")


@experiments.command()
@_FILE
def table(file: Path) -> None:
    """Compare the runs of FILE that are done, and keep the table beside them and in MLflow."""
    experiment = _open(file)
    _compare(experiment, _track(experiment))


def _open(file: Path) -> "Experiment":
    project = open_project()
    from bukva.experiments.plan import read_experiment

    return read_experiment(file, project)


def _track(experiment: "Experiment") -> "Tracker":
    from bukva.experiments.project import variable
    from bukva.experiments.tracking import EXPERIMENT, Tracker

    # The session's hooks check MLflow, set it up and make the experiment, as for every run.
    with variable(EXPERIMENT, experiment.name):
        open_session(experiment.work.project.env).load_context()
    return Tracker(experiment.name, experiment.file)


def _select(experiment: "Experiment", only: tuple[str, ...], force: bool) -> list["Run"]:
    """Return the runs that are to be done; say which are done already."""
    from bukva.experiments.records import Status
    from bukva.experiments.running import status_of

    names = [run.name for run in experiment.runs]
    if unknown := sorted(set(only) - set(names)):
        raise ExperimentError(f"Expected runs among {names}, got {unknown} (--only).")
    todo = []
    for run in experiment.runs:
        if only and run.name not in only:
            continue
        if not force and status_of(experiment, run) is Status.DONE:
            click.echo(f"{'done':<9}{run.name:<24} before, with the same parameters and data")
        else:
            todo.append(run)
    return todo


def _conduct(
    experiment: "Experiment", todo: list["Run"], tracker: "Tracker", workers: int, force: bool
) -> list[str]:
    """Do the runs, with a line for each that ends; return the names of those that failed."""
    from tqdm import tqdm

    from bukva.experiments.running import LOG, Conductor

    failed = []
    with tqdm(total=len(todo), unit="run", disable=not todo) as bar:
        for ended in Conductor(experiment, tracker, workers, force).conduct(todo):
            outcome = "failed" if ended.error else "done"
            bar.write(f"{outcome:<9}{ended.name:<24}{ended.seconds:6.0f} s")
            if ended.error:
                failed.append(ended.name)
                log = experiment.folder() / ended.name / LOG
                bar.write("\n".join(f"    {line}" for line in (*ended.error, f"log: {log}")))
            bar.update()
    return failed


def _compare(experiment: "Experiment", tracker: "Tracker") -> None:
    """Print the comparison, and keep it beside the runs and in MLflow."""
    from bukva.experiments.comparison import collect_outcome, tabulate
    from bukva.experiments.report import write_report

    table = tabulate([collect_outcome(experiment, run) for run in experiment.runs])
    files = write_report(table, experiment.name, experiment.folder())
    tracker.log_comparison(files)
    click.echo(files[0].read_text(encoding="utf-8"))
    click.echo(f"Kept in {', '.join(map(str, files))}, and in MLflow.")
