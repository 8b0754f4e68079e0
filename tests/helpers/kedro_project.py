"""The project under test, opened and run as Kedro does it, in a storage of the test's own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from kedro.framework.context import KedroContext
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from kedro.io import DataCatalog
from pluggy import PluginManager
from serving_servers import tracking_restored

from bukva.configuration import ConfigLoader, open_config

PROJECT = Path(__file__).parents[2]
ENVIRONMENTS = ("base", "test", "real", "released", "s3", "prod")


def load_config(env: str, **runtime_params: Any) -> ConfigLoader:
    return open_config(PROJECT, env, runtime_params)


def make_context(project: Path, env: str, **runtime_params: Any) -> KedroContext:
    """A context without hooks: the test calls the one that it is about."""
    return KedroContext(
        project_path=project,
        config_loader=load_config(env, **runtime_params),
        env=env,
        package_name="bukva",
        hook_manager=PluginManager("kedro"),
    )


def load_catalog(env: str) -> DataCatalog:
    return DataCatalog.from_config(load_config(env)["catalog"])


@contextmanager
def storage_at(storage: Path) -> Iterator[None]:
    """The environment `test` keeps everything in this folder; MLflow is given back afterwards."""
    with pytest.MonkeyPatch.context() as patch, tracking_restored():
        patch.setenv("BUKVA_TEST_STORAGE", str(storage))
        patch.setenv("KEDRO_LOGGING_CONFIG", str(PROJECT / "conf" / "logging_job.yml"))
        patch.chdir(PROJECT)
        yield


def run_pipeline(
    name: str, storage: Path, to_outputs: list[str] | None = None, **runtime_params: Any
) -> None:
    with storage_at(storage):
        bootstrap_project(PROJECT)
        with KedroSession.create(PROJECT, env="test", runtime_params=runtime_params) as session:
            session.run(pipeline_names=[name], to_outputs=to_outputs)
