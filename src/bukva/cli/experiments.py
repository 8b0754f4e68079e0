"""`bukva experiments`: do the runs of a file, say where they stand, compare them."""

import signal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bukva.cli.session import open_project, open_session
from bukva.errors import ExperimentError

if TYPE_CHECKING:
    from bukva.cli.experiment_runs.plan import Experiment, Run
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
    run makes lies in <storage>/experiments/<experiment>/<run>/, with its log (log.txt) and the
    arguments of its `kedro run` (run.yml); what became of all runs is an Optuna study beside them.
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
    # As Ctrl+C: the processes of the workers are not left behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    experiment = _open(file)
    from tqdm import tqdm

    from bukva.cli.experiment_runs.running import LOG, Conductor, Ended, Status, list_statuses

    todo = _select(experiment, only, force)
    experiment.project.check_inputs()
    tracker = _track(experiment)

    def show(ended: Ended) -> None:
        outcome = "failed" if ended.error else "done"
        bar.write(f"{outcome:<9}{ended.name:<24}{ended.seconds:6.0f} s")
        if ended.error:
            log = experiment.folder / ended.name / LOG
            bar.write("\n".join(f"    {line}" for line in (*ended.error, f"log: {log}")))
        bar.update()

    with tqdm(total=len(todo), unit="run", disable=not todo) as bar:
        sharing = experiment.project.sharing(workers)
        Conductor(experiment, todo, tracker, sharing, show).conduct(force)
    _compare(experiment, tracker)
    statuses = list_statuses(experiment)
    if missed := [name for name, _ in todo if statuses[name][0] is not Status.DONE]:
        message = f"{len(missed)} of {len(todo)} runs failed ({', '.join(missed)}), see above"
        raise ExperimentError(f"{message}. The same command does them again, and no others.")


@experiments.command("list")
@_FILE
def list_runs(file: Path) -> None:
    """List the runs of FILE: where they stand, their seconds, and what differs from FILE's env.

    `run` would do the pending and the changed ones, and go on with stopped and failed ones.
    """
    experiment = _open(file)
    from bukva.cli.experiment_runs.running import list_statuses

    statuses = list_statuses(experiment)
    for run in experiment.runs:
        status, last = statuses[run.name]
        seconds = f"{last.duration.total_seconds():.0f} s" if last and last.duration else "-"
        values = " ".join(f"{name}={value}" for name, value in run.overrides.items())
        click.echo(f"{status:<9}{run.name:<24}{seconds:>8}  {values}")


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
    from bukva.cli.experiment_runs.plan import variable
    from bukva.cli.experiment_runs.running import EXPERIMENT, Tracker

    # The session's hooks check MLflow, set it up and make the experiment, as for every run.
    with variable(EXPERIMENT, experiment.name):
        open_session(experiment.project.env).load_context()
    return Tracker(experiment)


def _select(
    experiment: "Experiment", only: tuple[str, ...], force: bool
) -> "dict[tuple[str, str], Run]":
    """Return the runs that are to be done; say which are done already."""
    from bukva.cli.experiment_runs.running import Status, list_statuses

    names = [run.name for run in experiment.runs]
    if unknown := sorted(set(only) - set(names)):
        raise ExperimentError(f"Expected runs among {names}, got {unknown} (--only).")
    statuses, todo = list_statuses(experiment), {}
    for key, run in experiment.by_key.items():
        if only and run.name not in only:
            continue
        if not force and statuses[run.name][0] is Status.DONE:
            click.echo(f"{'done':<9}{run.name:<24} before, with the same parameters and data")
        else:
            todo[key] = run
    return todo


def _compare(experiment: "Experiment", tracker: "Tracker") -> None:
    """Print the comparison, and keep it beside the runs and in MLflow."""
    from bukva.cli.experiment_runs.comparison import collect_outcomes, tabulate, write_report

    table = tabulate(collect_outcomes(experiment))
    files = write_report(table, experiment.name, experiment.folder)
    tracker.log_comparison(files)
    click.echo(files[0].read_text(encoding="utf-8"))
    click.echo(f"Kept in {', '.join(map(str, files))}, and in MLflow.")
