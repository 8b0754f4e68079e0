"""Kedro's settings of this project."""

from typing import Any

from kedro.config import OmegaConfigLoader
from omegaconf.resolvers import oc

from bukva.datasets.atomic import install_atomic_saves
from bukva.hooks import ParametersHooks, StageTimingHooks, TrackingHooks

# Before any dataset is made: a kill in mid-save leaves the former file whole.
install_atomic_saves()

HOOKS = (TrackingHooks(), ParametersHooks(), StageTimingHooks())
CONFIG_LOADER_CLASS = OmegaConfigLoader
CONFIG_LOADER_ARGS: dict[str, Any] = {
    "base_env": "base",
    "default_run_env": "local",
    "merge_strategy": {"parameters": "soft", "globals": "soft", "mlflow": "soft"},
    # Where a machine keeps its storage and its tracking server is for the machine to say.
    "custom_resolvers": {"oc.env": oc.env},
    "config_patterns": {
        "mlflow": ["mlflow*", "mlflow*/**"],
        # globals.yml by hand, globals_tuned.yml by the pipeline tuning.
        "globals": ["globals*"],
    },
}
