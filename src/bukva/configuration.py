"""How the folder `conf` is read."""

from typing import Any, Final

from omegaconf.resolvers import oc

CONFIG_LOADER_ARGS: Final[dict[str, Any]] = {
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
"""For Kedro's OmegaConfigLoader."""
