"""A study that several processes work on, in a database that may go away for a while.

Optuna's heartbeats are meant for `Study.optimize`, whose thread ends with the first one that the
database does not take. So trials are asked for and told, each call again while the database is
away, and a thread of ours says that their workers are alive.
"""

import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, ParamSpec, TypeVar

import optuna
from optuna.exceptions import ExperimentalWarning, OptunaError, StorageInternalError
from optuna.storages import RDBStorage, RetryHeartbeatStaleTrialCallback
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState
from sqlalchemy import Connection, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    ArgumentError,
    InterfaceError,
    InternalError,
    OperationalError,
    SQLAlchemyError,
)

from bukva.core.tuning.parameters import TuningParameters
from bukva.errors import TuningError

P = ParamSpec("P")
R = TypeVar("R")

FINISHED: Final = (TrialState.COMPLETE, TrialState.PRUNED)

_PAUSE_S: Final = 0.5
# Two workers make the tables of a new database at the same moment.
_ATTEMPTS: Final = 4
_CONNECTION_LOST: Final = (OperationalError, InterfaceError, InternalError)

# Several processes write to one SQLite file: each waits for the others, and transactions begin
# where `_lock_file` says, not where the driver does.
_OF_A_FILE: Final = {"connect_args": {"timeout": 60, "isolation_level": None}}

# Optuna calls heartbeats experimental at every use of them, and asking for trials beside them.
warnings.filterwarnings("ignore", category=ExperimentalWarning, module=r"(optuna|bukva)\.")
warnings.filterwarnings("ignore", message="Heartbeat of storage is supposed")
optuna.logging.set_verbosity(optuna.logging.WARNING)


class SharedStudy:
    """A study, made if it is not there, and what its workers ask of it.

    All of what is written may be written twice: a value replaces the former one. Where a trial was
    made and the answer lost, nobody works on it, and it is tried again as that of a killed worker.

    Args:
        url: Of the database, as SQLAlchemy spells it.
        name: Of the study.
        parameters: How workers share it.
        on_killed: Called for each trial whose worker fell silent, before it is tried again.
        options: Of `optuna.create_study`.

    Raises:
        TuningError: If the database does not answer; also by each method, if it goes away for
            longer than `parameters.patience_s`.
    """

    def __init__(
        self,
        url: str,
        name: str,
        parameters: TuningParameters,
        on_killed: Callable[[FrozenTrial], None] = lambda _: None,
        **options: Any,
    ) -> None:
        self.url, self.parameters = url, parameters
        self._on_killed = on_killed
        self._is_file = url.startswith("sqlite")
        # Whoever comes anew, or back, does not know how long nobody could say that he is alive.
        self._away_s = time.monotonic()
        self._seen: set[int] = set()
        self._database = self._open_database()
        self.study = self.patiently(
            optuna.create_study,
            study_name=name,
            storage=self._database,
            load_if_exists=True,
            **options,
        )

    def _open_database(self) -> RDBStorage:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                storage = RDBStorage(
                    self.url,
                    engine_kwargs={"pool_pre_ping": True, **(_OF_A_FILE if self._is_file else {})},
                    heartbeat_interval=self.parameters.heartbeat_s,
                    grace_period=self.parameters.grace_s,
                    heartbeat_stale_trial_callback=self._try_again,
                )
            except (SQLAlchemyError, OptunaError, ImportError) as error:
                if attempt == _ATTEMPTS or isinstance(error, ArgumentError | ImportError):
                    raise TuningError(_describe_trouble(self.url, error)) from error
                time.sleep(_PAUSE_S)
            else:
                if self._is_file:
                    event.listen(storage.engine, "begin", _lock_file)
                return storage
        raise AssertionError("unreachable")

    def patiently(self, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Return what a call gives, asked again while the database is away; a file never is."""
        until_s = time.monotonic() + (0 if self._is_file else self.parameters.patience_s)
        while True:
            try:
                return call(*args, **kwargs)
            except (StorageInternalError, SQLAlchemyError) as error:
                cause = error.__cause__ if isinstance(error, StorageInternalError) else error
                if not isinstance(cause, _CONNECTION_LOST) or time.monotonic() > until_s:
                    raise TuningError(_describe_trouble(self.url, error)) from error
            self._away_s = time.monotonic()
            time.sleep(_PAUSE_S)

    def trials(self, *states: TrialState) -> list[FrozenTrial]:
        """Return the trials in one of these states, or all."""
        return self.patiently(self.study.get_trials, deepcopy=False, states=states or None)

    def ask(self) -> Trial:
        """Return the trial that waits longest, or a new one."""
        return self.patiently(self.study.ask)

    def tell(self, trial: Trial, state: TrialState, value: float | None = None) -> None:
        """Say how a trial ended, unless others have."""
        self.patiently(self.study.tell, trial, value, state, skip_if_finished=True)

    @contextmanager
    def kept_alive(self, trial: Trial) -> Iterator[None]:
        """Say that a trial's worker is alive, at once and for as long as the block lasts."""
        ended = threading.Event()
        self._beat(trial.number)

        def beat() -> None:
            while not ended.wait(self.parameters.heartbeat_s):
                with suppress(TuningError):
                    self._beat(trial.number)

        threading.Thread(target=beat, daemon=True).start()
        try:
            yield
        finally:
            ended.set()

    def _beat(self, number: int) -> None:
        def record() -> None:
            study_id = self._database.get_study_id_from_name(self.study.study_name)
            of_trial = self._database.get_trial_id_from_study_id_trial_number(study_id, number)
            self._database.record_heartbeat(of_trial)

        self.patiently(record)

    def is_taken(self, trial: Trial) -> bool:
        """Return whether others took its worker for dead, as happens to one that was cut off."""
        return self.trials()[trial.number].state.is_finished()

    def retry_silent(self) -> None:
        """Put the trials of workers that fell silent into the queue again.

        Nobody is taken for dead before all had the time to say that they are alive.
        """
        if time.monotonic() - self._away_s < self.parameters.heartbeat_s + 2 * _PAUSE_S:
            return
        self.patiently(optuna.storages.fail_stale_trials, self.study)
        # A trial without any heartbeat, whose worker died before the first one, is alive for ever
        # to Optuna. It is given one by whoever sees it, once: a living worker's does no harm.
        for trial in self.trials(TrialState.RUNNING):
            if trial.number not in self._seen:
                self._beat(trial.number)
                self._seen.add(trial.number)

    def _try_again(self, _: Study, trial: FrozenTrial) -> None:
        self._on_killed(trial)
        self.retry(trial.number)

    def may_retry(self, number: int) -> bool:
        """Return whether a trial was not tried often enough yet."""
        history = RetryHeartbeatStaleTrialCallback.retry_history(self.trials()[number])
        return len(history) < self.parameters.retries

    def retry(self, number: int) -> None:
        """Put a trial that was stopped into the queue again, unless that was done often enough."""
        again = RetryHeartbeatStaleTrialCallback(max_retry=self.parameters.retries)
        self.patiently(again, self.study, self.trials()[number])


def _lock_file(connection: Connection) -> None:
    """Begin a transaction with the lock: SQLite has no lock of a row.

    Without it two workers that look at the same moment both take the trial that waits.
    """
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _describe_trouble(url: str, error: Exception) -> str:
    """Return what to do where the database of studies is not there; never shows a password."""
    try:
        place = make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        place = "an address that is none"
    advice = "Start it, or name another in BUKVA_TUNING_STORAGE"
    if url.startswith("sqlite"):
        advice = "See whether the file and its folder can be written"
    if isinstance(error, ImportError):
        advice = "Install its driver: pip install 'bukva[postgresql]'"
    return f"Expected the database of studies at {place}, got: {error!r}. {advice}."
