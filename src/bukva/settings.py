"""Kedro's settings of this project."""

from bukva import configuration
from bukva.datasets.unfinished import StorageHooks
from bukva.hooks import ParametersHooks, StageTimingHooks, TrackingHooks

# In its place: bukva.hooks.TrackingHooks, which is kedro-mlflow's hook and more.
DISABLE_HOOKS_FOR_PLUGINS = ("kedro_mlflow",)
HOOKS = (TrackingHooks(), StorageHooks(), ParametersHooks(), StageTimingHooks())
CONFIG_LOADER_CLASS = configuration.ConfigLoader
CONFIG_LOADER_ARGS = configuration.CONFIG_LOADER_ARGS
