"""How the folder `conf` is read."""

from pathlib import Path
from typing import Any, Final, cast

from kedro.config import OmegaConfigLoader
from omegaconf import OmegaConf
from omegaconf.resolvers import oc

from bukva.registry.package_files import name_model

GOES_ON_FROM: Final = {"prod": "real", "released": "real"}
"""Environments that hold only what is different in them: all else is as in another one."""

_MERGED: Final = ("airflow", "globals", "mlflow", "parameters")

CONFIG_LOADER_ARGS: Final[dict[str, Any]] = {
    "base_env": "base",
    "default_run_env": "local",
    "merge_strategy": dict.fromkeys(_MERGED, "soft"),
    # Where a machine keeps its storage and its tracking server is for the machine to say.
    "custom_resolvers": {"oc.env": oc.env, "model_name": name_model},
    "config_patterns": {
        "airflow": ["airflow*"],
        "mlflow": ["mlflow*", "mlflow*/**"],
        # globals.yml by hand, globals_tuned.yml by the pipeline tuning.
        "globals": ["globals*"],
    },
}
"""For `ConfigLoader`."""


class ConfigLoader(OmegaConfigLoader):
    """Kedro's loader, to which the catalog may say `${parameters:batch_inference.images}`.

    So a value has one source, whether the command line, the file of an environment, that of the
    environment it goes on from, or that of `base` gives it. Addresses of the globals end as
    templates need them, however they were written.
    """

    def __getitem__(self, key: str) -> dict[str, Any]:
        """Return the configuration of a kind."""
        is_set = key in self
        if key == "catalog":
            # Resolvers are those of the loader that was made last; this one reads now.
            given = OmegaConf.create(self["parameters"])
            OmegaConf.register_resolver(
                "parameters",
                lambda name: _to_name(OmegaConf.select(given, name)),
                replace=True,
            )
        config: dict[str, Any] = super().__getitem__(key)
        if key in _MERGED and self.env in GOES_ON_FROM and not is_set:
            config = self._go_on(config, key, self.env)
        if key == "globals" and "storage" in config:
            storage = config["storage"]
            for place in ("root", "local"):
                storage[place] = str(storage[place]).rstrip("/") or "/"
            storage["run"] = f"{run}/" if (run := str(storage["run"]).strip("/")) else ""
        return config

    def _go_on(self, config: dict[str, Any], key: str, env: str) -> dict[str, Any]:
        """Lay what the former environment says, then what its own does, over a configuration."""
        layers = [
            self.load_and_merge_dir_config(
                f"{self.conf_source}/{name}", self.config_patterns[key], key, set()
            )
            for name in (GOES_ON_FROM[env], env)
        ]
        merged = OmegaConf.to_container(OmegaConf.merge(config, *layers))
        return cast("dict[str, Any]", merged)


def _to_name(value: Any) -> Any:
    """Return what a parameter says; what looks like a number is a name or address here."""
    return str(value) if isinstance(value, int | float) else value


def open_config(
    project: Path, env: str, runtime_params: dict[str, Any] | None = None
) -> ConfigLoader:
    """Return what reads the configuration of an environment as a run does."""
    return ConfigLoader(
        str(project / "conf"), env=env, runtime_params=runtime_params, **CONFIG_LOADER_ARGS
    )
