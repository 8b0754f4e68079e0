"""Opening a study in its database, and what it says about itself."""

import time
import warnings
from collections.abc import Callable, Mapping
from typing import Any, Final

import optuna
from optuna.exceptions import ExperimentalWarning, OptunaError
from optuna.pruners import (
    BasePruner,
    HyperbandPruner,
    MedianPruner,
    NopPruner,
    SuccessiveHalvingPruner,
)
from optuna.storages import RetryHeartbeatStaleTrialCallback
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import Connection, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from bukva.errors import TuningError
from bukva.parameters import TuningParameters
from bukva.tuning.patience import PatientStorage
from bukva.tuning.sampler import NumberedSampler

# A retry and its delay: two workers that make the tables of a new database at the same moment.
_ATTEMPTS: Final = 4
_DELAY_S: Final = 0.5

# Several processes write to one SQLite file: each waits for the others, and transactions begin
# where `_lock_file` says, not where the driver does.
_PATIENT: Final = {"connect_args": {"timeout": 60, "isolation_level": None}}

OnKilled = Callable[[FrozenTrial], None]

# Optuna calls heartbeats experimental at every use of them.
warnings.filterwarnings("ignore", category=ExperimentalWarning, module=r"(optuna|bukva)\.")


def open_study(
    url: str,
    parameters: TuningParameters,
    fingerprint: str,
    first: Mapping[str, Any],
    on_killed: OnKilled | None = None,
) -> Study:
    """Return the study of this name, made if it is not there.

    Args:
        url: Of the database, as SQLAlchemy spells it.
        parameters: Of the search.
        fingerprint: Of everything that makes trials comparable.
        first: The values that a new study begins with.
        on_killed: Called for each trial whose worker fell silent, before it is tried again.

    Raises:
        TuningError: If the database does not answer, or the study is of something else.
    """
    study = optuna.create_study(
        study_name=parameters.study,
        storage=open_storage(url, parameters, on_killed),
        sampler=NumberedSampler(parameters.seed, parameters.startup_trials),
        pruner=_make_pruner(parameters),
        direction="maximize" if parameters.is_maximised else "minimize",
        load_if_exists=True,
    )
    _check_fingerprint(study, fingerprint)
    if not study.get_trials(deepcopy=False):
        study.enqueue_trial(dict(first), skip_if_exists=True)
    return study


def open_storage(
    url: str, parameters: TuningParameters, on_killed: OnKilled | None = None
) -> PatientStorage:
    """Return the database of studies, its tables made if they are not there.

    Raises:
        TuningError: If it does not answer.
    """

    def retry(study: Study, trial: FrozenTrial) -> None:
        if on_killed is not None:
            on_killed(trial)
        retry_trial(study, trial.number, parameters.retries)

    is_file = url.startswith("sqlite")
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            storage = PatientStorage(
                url,
                patience_s=0 if is_file else parameters.patience_s,
                heartbeat_s=parameters.heartbeat_s,
                grace_s=parameters.grace_s,
                engine_kwargs={"pool_pre_ping": True, **(_PATIENT if is_file else {})},
                heartbeat_stale_trial_callback=retry,
            )
            if is_file:
                event.listen(storage.engine, "begin", _lock_file)
            return storage
        except (SQLAlchemyError, OptunaError, ImportError) as error:
            if attempt == _ATTEMPTS or isinstance(error, ArgumentError | ImportError):
                raise TuningError(describe_trouble(url, error)) from error
        time.sleep(_DELAY_S)
    raise AssertionError("unreachable")


def _lock_file(connection: Connection) -> None:
    """Begin a transaction with the lock: SQLite has no lock of a row.

    Without it two workers that look at the same moment both take the trial that waits.
    """
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def retry_trial(study: Study, number: int, retries: int) -> None:
    """Put a trial that was stopped into the queue again, unless that was done often enough."""
    RetryHeartbeatStaleTrialCallback(max_retry=retries)(study, study.trials[number])


def count_trials(study: Study, *states: TrialState) -> int:
    """Return how many trials are in one of these states."""
    return len(study.get_trials(deepcopy=False, states=states))


def _make_pruner(parameters: TuningParameters) -> BasePruner:
    pruner = parameters.pruner
    match pruner.name:
        case "median":
            # Optuna's median looks once as many epochs as the warm-up are behind.
            return MedianPruner(
                n_startup_trials=parameters.startup_trials, n_warmup_steps=pruner.warmup_epochs
            )
        case "halving":
            return SuccessiveHalvingPruner(
                min_resource=pruner.warmup_epochs, reduction_factor=pruner.reduction_factor
            )
        case "hyperband":
            return HyperbandPruner(
                min_resource=pruner.warmup_epochs, reduction_factor=pruner.reduction_factor
            )
        case "none":
            return NopPruner()


def _check_fingerprint(study: Study, fingerprint: str) -> None:
    known = study.user_attrs.get("fingerprint")
    if known is None:
        study.set_user_attr("fingerprint", fingerprint)
    elif known != fingerprint:
        message = (
            f"Expected study {study.study_name!r} to be of these data and parameters, it is of "
            "others: their trials cannot be compared. Give tuning.study another name, or delete "
            "the study."
        )
        raise TuningError(message)


def describe_trouble(url: str, error: Exception) -> str:
    """Return what to do where the database of studies is not there; never shows a password."""
    try:
        place = make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        place = "an address that is none"
    advice = "Start it, or name another in BUKVA_TUNING_STORAGE"
    if isinstance(error, ImportError):
        advice = "Install its driver: pip install 'bukva[postgresql]'"
    return f"Expected the database of studies at {place}, got: {error!r}. {advice}."
