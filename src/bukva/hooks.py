"""What happens around every run: checks before it, figures after it."""

import logging
import os
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import mlflow
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Node, Pipeline
from kedro_mlflow.framework.hooks import MlflowHook
from mlflow.exceptions import MlflowException
from mlflow.utils.validation import MAX_PARAM_VAL_LENGTH
from pydantic import BaseModel

from bukva.core.parameters import flatten
from bukva.pipelines.parameters import validate_parameters
from bukva.registry.journal import JOURNALS, Logged, describe, replay_journals
from bukva.registry.runs import active_run, keep_journals
from bukva.registry.tracking import (
    check_tracking,
    is_server,
    keep_artifacts_here,
    locate_tracking,
)

logger = logging.getLogger(__name__)

_LAST_WAIT_S: Final = 10.0


class TrackingHooks(MlflowHook):  # type: ignore[misc]  # kedro-mlflow has no types
    """kedro-mlflow's own hook, but that a run goes on where its MLflow server dies.

    A server that is not there when the run begins is a clear error at once.
    """

    def __init__(self) -> None:
        super().__init__()
        self.run_id: str | None = None
        self._is_ours = False

    @hook_impl(tryfirst=True)
    def after_context_created(self, context: KedroContext) -> None:
        """Stop where MLflow does not answer; deliver what former runs could not.

        Raises:
            TrackingUnreachableError: If it does not answer.
        """
        config = context.config_loader["mlflow"]
        uri = locate_tracking(config["server"]["mlflow_tracking_uri"], context.project_path)
        check_tracking(uri)
        config["server"]["mlflow_tracking_uri"] = uri
        context.config_loader["mlflow"] = config
        keep_journals(None)
        experiment = config["tracking"]["experiment"]
        place = experiment["create_experiment_kwargs"]["artifact_location"]
        # A run that was opened for us has its place already.
        if place and not config["tracking"].get("run", {}).get("id"):
            keep_artifacts_here(uri, experiment["name"], place, context.project_path)
        if is_server(uri):
            storage = context.config_loader["globals"]["storage"]
            folder = context.project_path / storage["local"] / JOURNALS
            keep_journals(folder)
            # What needs an answer fails in seconds, not in four minutes.
            os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
            # To print a link when a run ends, MLflow's client asks the server for the run.
            os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
            if left := replay_journals(folder, uri):
                logger.info("Of what former runs logged: %s.", describe(left))
        super().after_context_created(context)

    @hook_impl
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog
    ) -> None:
        """Begin a run of its own for each pipeline, of which a notebook has several."""
        # Of the pipeline before; where tracking is disabled, kedro-mlflow leaves it as it is.
        self.run_id = None
        former = mlflow.active_run()
        super().before_pipeline_run(run_params, pipeline, catalog)
        self._is_ours = mlflow.active_run() is not former

    @hook_impl
    def before_node_run(self, inputs: dict[str, Any]) -> None:
        """Log the parameters of the node, each field of a typed group by itself."""
        if self.run_id is None:
            return
        if mlflow.active_run() is None:
            # A thread of its own, as ThreadRunner has: MLflow's active run is one of a thread.
            mlflow.start_run(run_id=self.run_id)
        values = {
            name.removeprefix("params:"): value.model_dump()
            if isinstance(value, BaseModel)
            else value
            for name, value in inputs.items()
            if name == "parameters" or name.startswith("params:")
        }
        params = {
            self.sanitize_param_name(name): str(value)[:MAX_PARAM_VAL_LENGTH]
            for name, value in flatten(values).items()
        }
        if params and (run := active_run()):
            run.log(Logged(params=params))

    @hook_impl(trylast=True)
    def after_pipeline_run(self) -> None:
        """End the run, wait a little for the server, and say what it has not."""
        self._end("FINISHED")

    @hook_impl(trylast=True)
    def on_pipeline_error(self) -> None:
        """As after a run that went well, but that it has failed."""
        self._end("FAILED")

    def _end(self, status: str) -> None:
        run = active_run()
        if self.run_id is None or run is None:
            return
        if self._is_ours:
            try:
                with _impatient():
                    mlflow.end_run(status)
            except MlflowException:
                run.log(Logged(status=status))
        missing = run.wait(_LAST_WAIT_S)
        if not missing and run.journals:
            # Of processes that this run had, and that have ended.
            missing = replay_journals(run.journals, run.server)["waiting"]
        if missing:
            logger.warning(
                "MLflow does not answer: %d entries of this run wait on the disk. "
                "The next run delivers them, or: python -m bukva tracking replay",
                missing,
            )


@contextmanager
def _impatient() -> Iterator[None]:
    """Let MLflow's client try once, for seconds."""
    settings = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_HTTP_REQUEST_TIMEOUT": "5"}
    former = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in former.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


class ParametersHooks:
    """Checks all parameters together."""

    @hook_impl(tryfirst=True)
    def after_context_created(self, context: KedroContext) -> None:
        """Stop with all bad parameters at once, before any node runs.

        Raises:
            ParameterError: If any does not validate.
        """
        validate_parameters(context.config_loader["parameters"])


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
