"""One run of the main job in the environment `test`, for every test that reads what it wrote."""

import fcntl
import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import mlflow
from click.testing import CliRunner
from kedro.io import DataCatalog
from kedro_project import load_catalog, storage_at
from mlflow.tracking import MlflowClient
from serving_servers import tracking_restored

from bukva.__main__ import bukva
from bukva.registry.package_files import BY_MLFLOW

# Enough to tell some symbols apart: two forms of a model that answers the same for every image
# would agree whatever they did.
LEARNING = {
    "ema_decay": 0.8,
    "learning_rate": 0.03,
    "max_epochs": 2,
    "steps_per_epoch": 40,
    "batch_size": 128,
}


@dataclass(frozen=True)
class Storage:
    """The folder of a job: what it wrote and what it registered."""

    path: Path

    def report(self, name: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.path / "08_reporting" / name).read_text())
        return content

    @cached_property
    def catalog(self) -> DataCatalog:
        with storage_at(self.path):
            return load_catalog("test")

    def load(self, name: str) -> Any:
        """What a dataset of the catalog holds, read by the dataset itself."""
        with tracking_restored():
            mlflow.set_tracking_uri(self.tracking_uri)
            return self.catalog.load(name)

    def run(self, *arguments: str) -> str:
        """Run `python -m bukva` on this storage; what it printed."""
        with storage_at(self.path):
            done = CliRunner().invoke(bukva, [*arguments, "--env=test"], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    @property
    def tracking_uri(self) -> str:
        return f"sqlite:///{self.path}/mlflow.db"

    def client(self) -> MlflowClient:
        return MlflowClient(self.tracking_uri)

    def runs(self) -> dict[str, str]:
        """Status by run."""
        experiment = self.client().get_experiment_by_name("bukva")
        found = self.client().search_runs([experiment.experiment_id])
        return {run.info.run_id: run.info.status for run in found}

    def versions(self) -> dict[str, str]:
        """Recogniser by version."""
        found = self.client().search_model_versions("name = 'bukva-glyph'")
        return {str(item.version): item.tags["recogniser_sha256"] for item in found}

    def aliases(self) -> dict[str, str]:
        found = self.client().get_registered_model("bukva-glyph").aliases
        return {alias: str(version) for alias, version in found.items()}

    def copy(self, folder: Path) -> "Storage":
        """A storage of its own in an empty folder: what it logs does not come to this one."""
        shutil.copytree(
            self.path, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("mlflow.db")
        )
        with (
            closing(sqlite3.connect(self.path / "mlflow.db")) as ours,
            closing(sqlite3.connect(folder / "mlflow.db")) as theirs,
        ):
            # Addresses of artifacts are absolute.
            dump = "\n".join(ours.iterdump())
            theirs.executescript(dump.replace(f"{self.path}/", f"{folder}/"))
        return Storage(folder)


def run_job(storage: Storage) -> str:
    """Run `python -m bukva job --env=test`, and return what it printed.

    The model goes into production by force: drawings alone do not replace the released one.
    """
    params = ",".join(f"finetuning.{name}={value}" for name, value in LEARNING.items())
    return storage.run("job", f"--params={params},promotion.force=true")


@contextmanager
def shared_job(folder: Path) -> Iterator[tuple[Storage, str]]:
    """The job's storage, and what it printed; whoever comes first runs it, all others wait for it.

    At the end it must be as it was made: others read it, in other processes.
    """
    folder.mkdir(exist_ok=True)
    storage, made = Storage(folder / "storage"), folder / "made.json"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            storage.path.mkdir()  # refused where the job failed in another process
            printed = run_job(storage)
            made.write_text(json.dumps([printed, _stamp(storage)]))
    printed, stamp = json.loads(made.read_text())
    yield storage, printed
    assert _stamp(storage) == stamp, "a test wrote into the storage that all share: copy_of_job"


def _stamp(storage: Storage) -> dict[str, list[int]]:
    """Size and time of each file."""
    files = [item for item in storage.path.rglob("*") if item.is_file() and item.name != BY_MLFLOW]
    return {str(item): [item.stat().st_size, item.stat().st_mtime_ns] for item in sorted(files)}
