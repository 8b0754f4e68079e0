"""Doing the runs of an experiment, and keeping a record of each."""

import os
import sys
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import yaml

from bukva.experiments.plan import Experiment, Run
from bukva.experiments.project import RUN_FOLDER, nest
from bukva.experiments.records import Record, Status, judge, read_record, write_record
from bukva.experiments.tracking import EXPERIMENT, Tracker
from bukva.experiments.workers import Ended, Job, count_threads, is_at_work, run_jobs

LOG: Final = "log.txt"
_LOGGING_CONFIG: Final = "conf/logging_run.yml"
_ARGUMENTS: Final = "run.yml"


def status_of(experiment: Experiment, run: Run) -> Status:
    """Return where a run stands, with the parameters and data of now."""
    folder = experiment.folder() / run.name
    if is_at_work(folder / LOG):
        return Status.RUNNING
    return judge(read_record(folder), experiment.fingerprint(run))


@dataclass
class Conductor:
    """Does runs of an experiment by some workers.

    Attributes:
        experiment: What they belong to.
        tracker: Its experiment in MLflow.
        workers: How many runs take place at the same time.
        force: Whether to forget what the runs have kept, checkpoints included.
    """

    experiment: Experiment
    tracker: Tracker
    workers: int = 1
    force: bool = False
    _open: dict[str, Record] = field(default_factory=dict)

    def conduct(self, runs: Sequence[Run]) -> Generator[Ended, None, None]:
        """Give each run as it ends; one that fails stops no other.

        Whatever ends this early stops the runs that are under way.
        """
        try:
            with closing(run_jobs(map(self._start, runs), self.workers)) as jobs:
                for ended in jobs:
                    self._finish(ended)
                    yield ended
        finally:
            for record in self._open.values():
                self.tracker.close(record.tracking_id, "KILLED")

    def _start(self, run: Run) -> Job:
        """Prepare a run's folder and its run in MLflow, and return what is to be done."""
        folder, run_folder = self.experiment.folder() / run.name, self.experiment.run_folder(run)
        fingerprint = self.experiment.fingerprint(run)
        former = read_record(folder)
        goes_on = former and former.outcome == "started" and former.fingerprint == fingerprint
        if self.force or judge(former, fingerprint) is Status.CHANGED:
            self.experiment.work.clear(run_folder)
        self.experiment.work.lend(run_folder)
        run_id = self.tracker.open(run.name, former.tracking_id if former and goes_on else None)
        record = Record(outcome="started", fingerprint=fingerprint, tracking_id=run_id)
        write_record(folder, record)
        self._open[run.name] = record
        return self._job(run, folder, run_id)

    def _job(self, run: Run, folder: Path, run_id: str) -> Job:
        """Return a `kedro run`; its arguments are a file that shows what was run."""
        arguments = {
            "env": self.experiment.work.project.env,
            "pipelines": ",".join(self.experiment.pipelines),
            "params": nest(run.overrides),
        }
        file = folder / _ARGUMENTS
        file.write_text(yaml.safe_dump({"run": arguments}, allow_unicode=True), encoding="utf-8")
        variables = {
            RUN_FOLDER: self.experiment.run_folder(run),
            EXPERIMENT: self.experiment.name,
            "BUKVA_RUN_NAME": run.name,
            "BUKVA_RUN_ID": run_id,
            "KEDRO_LOGGING_CONFIG": _LOGGING_CONFIG,
            "PYTHONWARNINGS": "ignore",
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(count_threads(self.workers))),
        }
        command = (sys.executable, "-m", "kedro", "run", f"--config={file}")
        return Job(run.name, command, variables, folder / LOG)

    def _finish(self, ended: Ended) -> None:
        record = self._open.pop(ended.name)
        outcome = "failed" if ended.error else "done"
        self.tracker.close(record.tracking_id, "FAILED" if ended.error else "FINISHED")
        final = Record(
            outcome=outcome,
            fingerprint=record.fingerprint,
            tracking_id=record.tracking_id,
            seconds=round(ended.seconds, 1),
            error=ended.error,
        )
        write_record(self.experiment.folder() / ended.name, final)
