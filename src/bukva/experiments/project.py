"""The project in one environment: its parameters and its catalog, for all runs or for one.

Other than a Kedro session, this opens no MLflow and runs no hook.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kedro.config import OmegaConfigLoader
from kedro.io import DataCatalog
from omegaconf import OmegaConf

from bukva.configuration import CONFIG_LOADER_ARGS

RUN_FOLDER: Final = "BUKVA_RUN_FOLDER"
"""The variable in which `conf/base/globals.yml` looks for the folder of a run."""


@dataclass(frozen=True)
class Project:
    """The project at its root, in one environment; paths of the catalog start at the root."""

    root: Path
    env: str

    def parameters(self, overrides: dict[str, Any]) -> dict[str, Any]:
        """Return the parameters of a run as Kedro reads them, unchecked.

        Args:
            overrides: Values by dotted name.
        """
        return self._load("parameters", runtime_params=nest(overrides))

    def catalog(self, run_folder: str = "") -> DataCatalog:
        """Return the catalog of ordinary runs, or of one that has a folder of its own.

        Args:
            run_folder: Ends with a slash where it is given.
        """
        return DataCatalog.from_config(self._load("catalog", run_folder=run_folder))

    def storage(self, place: str) -> str:
        """Return the address that `storage` of the globals has under `root` or `local`."""
        return str(self._load("globals")["storage"][place])

    def _load(
        self, key: str, *, run_folder: str = "", runtime_params: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        # Made anew each time: the resolvers of all loaders are those of the last one made.
        with variable(RUN_FOLDER, run_folder):
            loader = OmegaConfigLoader(
                str(self.root / "conf"),
                env=self.env,
                runtime_params=runtime_params,
                **CONFIG_LOADER_ARGS,
            )
            return dict(loader[key])


def nest(flat: dict[str, Any]) -> dict[str, Any]:
    """Return values by dotted name as nested groups, the inverse of `bukva.parameters.flatten`."""
    nested = OmegaConf.create()
    for name, value in flat.items():
        OmegaConf.update(nested, name, value)
    return dict(OmegaConf.to_container(nested))  # type: ignore[arg-type]


@contextmanager
def variable(name: str, value: str) -> Iterator[None]:
    """Set a variable of the environment for as long as the block lasts."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
