"""`bukva experiments`: do the runs of a file, say where they stand, compare them."""

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bukva.cli.session import open_project, open_session
from bukva.errors import ExperimentError

if TYPE_CHECKING:
    from bukva.cli.experiment_runs.plan import Experiment
    from bukva.cli.experiment_runs.running import Tracker

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
    A run that was stopped, or failed, goes on from its checkpoint; one whose process was killed is
    tried again at once. Each worker is a process with its share of the cores, unless
    OMP_NUM_THREADS says otherwise; the same command in another terminal adds workers. Ctrl+C stops
    those of this one; the same command goes on. The exit code is 1 if a run failed.
    """
    # As Ctrl+C: the processes of the runs are not left behind.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    experiment = _open(file)
    from tqdm import tqdm

    from bukva.cli.experiment_runs.running import LOG, Conductor, Record, Status, list_records
    from bukva.tasks.glyph.parameters import TuningParameters

    if unknown := sorted(set(only) - {run.name for run in experiment.runs}):
        message = f"Expected runs among {[run.name for run in experiment.runs]}, got {unknown}"
        raise ExperimentError(f"{message} (--only).")
    todo, before = [], list_records(experiment)
    for run in experiment.runs:
        if only and run.name not in only:
            continue
        if not force and before[run.name].status is Status.DONE:
            click.echo(f"{'done':<9}{run.name:<24} before, with the same parameters and data")
        else:
            todo.append(run)
    experiment.project.check_inputs()
    tracker = _track(experiment)

    def show(name: str, record: Record) -> None:
        bar.write(f"{record.status:<9}{name:<24}{record.seconds or 0:6.0f} s")
        if record.error:
            log = experiment.folder / name / LOG
            bar.write("\n".join(f"    {line}" for line in (*record.error, f"log: {log}")))
        bar.update()

    with tqdm(total=len(todo), unit="run", disable=not todo) as bar:
        retries = TuningParameters.model_validate(experiment.project.ordinary["tuning"]).retries
        Conductor(experiment, tracker, show, workers, retries, force=force).conduct(todo)
    _compare(experiment, tracker)
    after = list_records(experiment)
    if missed := [run.name for run in todo if after[run.name].status is not Status.DONE]:
        message = f"{len(missed)} of {len(todo)} runs failed ({', '.join(missed)}), see above"
        raise ExperimentError(f"{message}. The same command does them again, and no others.")


@experiments.command("list")
@_FILE
def list_runs(file: Path) -> None:
    """List the runs of FILE: where they stand, their seconds, and what differs from FILE's env.

    `run` would do the pending and the changed ones, and go on with stopped and failed ones.
    """
    experiment = _open(file)
    from bukva.cli.experiment_runs.running import list_records

    records = list_records(experiment)
    for run in experiment.runs:
        record = records[run.name]
        seconds = "-" if record.seconds is None else f"{record.seconds:.0f} s"
        values = " ".join(f"{name}={value}" for name, value in run.overrides.items())
        click.echo(f"{record.status:<9}{run.name:<24}{seconds:>8}  {values}")


@experiments.command()
@_FILE
def table(file: Path) -> None:
    """Compare the runs of FILE that are done, and keep the table beside them and in MLflow."""
    experiment = _open(file)
    _compare(experiment, _track(experiment))


def _open(file: Path) -> "Experiment":
    project = open_project()
    from bukva.cli.experiment_runs.plan import read_experiment

    return read_experiment(file, project)


def _track(experiment: "Experiment") -> "Tracker":
    # Read by `conf/base/mlflow.yml`, here and in the processes of the runs.
    os.environ["BUKVA_EXPERIMENT"] = experiment.name
    # The session's hooks check MLflow, set it up and make the experiment, as for every run.
    open_session(experiment.project.env).load_context()
    from bukva.cli.experiment_runs.running import Tracker

    return Tracker(experiment)


def _compare(experiment: "Experiment", tracker: "Tracker") -> None:
    """Print the comparison, and keep it beside the runs and in MLflow."""
    from bukva.cli.experiment_runs.comparison import collect_outcomes, tabulate, write_report

    table = tabulate(collect_outcomes(experiment))
    files = write_report(table, experiment.name, experiment.folder)
    tracker.log_comparison(files)
    click.echo(files[0].read_text(encoding="utf-8"))
    click.echo(f"Kept in {', '.join(map(str, files))}, and in MLflow.")
