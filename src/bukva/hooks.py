"""What happens around every run: checks before it, figures after it."""

import logging
import time
from collections import defaultdict
from typing import Any, Final

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Node, Pipeline
from pydantic import BaseModel

from bukva.datasets.storage import check_storage, join, locate_storage
from bukva.datasets.unfinished import UnfinishedSaves
from bukva.parameters import flatten, validate_parameters

logger = logging.getLogger(__name__)

_LAST_WAIT_S: Final = 10.0


class TrackingHooks:
    """Prepares MLflow for kedro-mlflow's own hook, which would wait minutes for a server.

    A server that goes away later stops nothing: `bukva.model_registry.journalled_store`.
    """

    @hook_impl(tryfirst=True)
    def after_context_created(self, context: KedroContext) -> None:
        """Stop with a clear error where the tracking server does not answer.

        Raises:
            TrackingUnreachableError: If it does not answer.
        """
        from bukva.model_registry.tracking import check_tracking, is_server, locate_tracking

        config = context.config_loader["mlflow"]
        uri = locate_tracking(config["server"]["mlflow_tracking_uri"], context.project_path)
        check_tracking(uri)
        config["server"]["mlflow_tracking_uri"] = uri
        context.config_loader["mlflow"] = config
        if is_server(uri):
            self._keep_journal(context, uri)

    def _keep_journal(self, context: KedroContext, server: str) -> None:
        """Deliver what former runs could not, and let this one go on where the server dies."""
        from bukva.model_registry.journalled_store import keep_journal
        from bukva.model_registry.replay import locate_journals, replay_journals

        storage = context.config_loader["globals"]["storage"]
        folder = locate_journals(storage["local"], context.project_path)
        left = replay_journals(folder, server)
        if left != (0, 0, 0):
            logger.info("Of what former runs logged: %s.", left.describe())
        keep_journal(folder)

    @hook_impl(trylast=True)
    def after_pipeline_run(self) -> None:
        """Wait a little for the tracking server, and say what it has not."""
        self._wait_for_deliveries()

    @hook_impl(trylast=True)
    def on_pipeline_error(self) -> None:
        """As after a run that went well."""
        self._wait_for_deliveries()

    def _wait_for_deliveries(self) -> None:
        from bukva.model_registry.journalled_store import wait_for_deliveries

        if missing := wait_for_deliveries(_LAST_WAIT_S):
            logger.warning(
                "The tracking server does not answer: %d requests of this run wait on the disk. "
                "The next run delivers them, or: python -m bukva tracking replay",
                missing,
            )

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self) -> None:
        """Forget the MLflow run of a former pipeline of this process, as a notebook has.

        kedro-mlflow would open it again in a pipeline whose tracking is disabled.
        """
        from kedro_mlflow.framework.hooks.mlflow_hook import mlflow_hook

        mlflow_hook.run_id = None


class StorageHooks:
    """Looks at the store before a run, not when hours of training are to be saved in it.

    Between the saves of a node, a note says so.
    """

    def __init__(self) -> None:
        self._root = ""
        self._folder = ""
        self._unfinished: UnfinishedSaves | None = None

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Remember where data lie; what is only looked up needs no store."""
        storage = context.config_loader["globals"]["storage"]
        self._root = locate_storage(storage["root"], context.project_path)
        self._folder = join(self._root, storage["run"])
        self._unfinished = None

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, pipeline: Pipeline) -> None:
        """Stop with a clear error before MLflow opens a run.

        Raises:
            StorageError: If the store cannot be used, or what the pipeline reads in it is of a node
                that was stopped between its saves.
        """
        check_storage(self._root)
        self._unfinished = UnfinishedSaves(self._folder)
        self._unfinished.check(pipeline)

    @hook_impl
    def before_dataset_saved(self, node: Node) -> None:
        """Note that the node saves."""
        if self._unfinished:
            self._unfinished.begin(node)

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, node: Node) -> None:
        """Remove the note after the last save of the node."""
        if self._unfinished:
            self._unfinished.end(node, dataset_name)


class ParametersHooks:
    """Checks all parameters together, and logs typed ones by field."""

    @hook_impl(tryfirst=True)
    def after_context_created(self, context: KedroContext) -> None:
        """Stop with all bad parameters at once, before any node runs.

        Raises:
            ParameterError: If any does not validate.
        """
        validate_parameters(context.config_loader["parameters"])

    @hook_impl
    def before_node_run(self, inputs: dict[str, Any]) -> None:
        """Log each field of a typed group: kedro-mlflow would log the object as one string."""
        import mlflow

        if mlflow.active_run() is None:
            return
        for name, value in inputs.items():
            if isinstance(value, BaseModel) and name.startswith("params:"):
                group = name.removeprefix("params:")
                mlflow.log_params(flatten(value.model_dump(), f"{group}."))


class StageTimingHooks:
    """Adds up the seconds of each stage and writes them into the results."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = defaultdict(float)
        self._mark_s = 0.0
        self._stage = ""

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any]) -> None:
        """Start the clock."""
        self._seconds.clear()
        self._stage = next(iter(run_params.get("pipeline_names") or []), "")
        self._mark_s = time.perf_counter()

    @hook_impl
    def after_node_run(self, node: Node) -> None:
        """Give the time since the last mark, reading and saving included, to the node's stage."""
        self._stage = next(iter(sorted(node.tags)), self._stage)
        self._add_time()

    @hook_impl(trylast=True)
    def after_pipeline_run(self, catalog: DataCatalog) -> None:
        """Write `seconds.<stage>` beside the metrics."""
        self._add_time()
        known = catalog.load("stage_seconds") if catalog.exists("stage_seconds") else {}
        known |= {f"seconds.{name}": round(value, 1) for name, value in self._seconds.items()}
        catalog.save("stage_seconds", known)
        if catalog.exists("results"):
            catalog.save("results", catalog.load("results") | known)

    def _add_time(self) -> None:
        now_s = time.perf_counter()
        self._seconds[self._stage] += now_s - self._mark_s
        self._mark_s = now_s
