"""What a job in the environment `test` wrote and registered, and how to run one."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from mlflow.tracking import MlflowClient

from bukva.__main__ import bukva
from kedro_project import storage_at

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


def run_job(storage: Storage) -> str:
    """Run `python -m bukva job --env=test`, and return what it printed.

    The model goes into production by force: drawings alone do not replace the released one.
    """
    params = ",".join(f"finetuning.{name}={value}" for name, value in LEARNING.items())
    params += ",promotion.force=true"
    with storage_at(storage.path):
        arguments = ["job", "--env=test", f"--params={params}"]
        return CliRunner().invoke(bukva, arguments, catch_exceptions=False).output
