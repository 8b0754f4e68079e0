"""Kedro's settings of this project."""

from kedro.config import OmegaConfigLoader

from bukva import configuration
from bukva.datasets.atomic import install_atomic_saves
from bukva.hooks import ParametersHooks, StageTimingHooks, StorageHooks, TrackingHooks

# Before any dataset is made: a kill in mid-save leaves the former file or object whole.
install_atomic_saves()

HOOKS = (TrackingHooks(), StorageHooks(), ParametersHooks(), StageTimingHooks())
CONFIG_LOADER_CLASS = OmegaConfigLoader
CONFIG_LOADER_ARGS = configuration.CONFIG_LOADER_ARGS
