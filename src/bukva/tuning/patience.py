"""A database of studies that may go away for a while: whoever asks it waits until it is back."""

import functools
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.storages import RDBStorage
from optuna.storages._rdb import models
from optuna.trial import TrialState
from sqlalchemy import select
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError
from sqlalchemy.orm import Session

R = TypeVar("R")

_PAUSE_S: Final = 0.5
_LOST_CONNECTION: Final = (OperationalError, InterfaceError, InternalError)


class PatientStorage(RDBStorage):
    """Optuna's database, every question to which is asked again while the server is away.

    All of what a search writes may be written twice: a value replaces the former one. Where a trial
    was made and the answer lost, the trial stays without a heartbeat, and is given up in the end.

    Args:
        url: Of the database, as SQLAlchemy spells it.
        patience_s: How long to ask again; 0 for not at all.
        heartbeat_s: How often the worker of a trial says that it is alive.
        grace_s: Silence after which it counts as dead.
        storage_args: Of `RDBStorage`.
    """

    def __init__(
        self, url: str, *, patience_s: float, heartbeat_s: int, grace_s: int, **storage_args: Any
    ) -> None:
        self.patience_s = patience_s
        self._grace_s = grace_s
        # Whoever comes anew, or back, does not know how long nobody could say that he is alive.
        self._away_s = time.monotonic()
        super().__init__(url, heartbeat_interval=heartbeat_s, grace_period=grace_s, **storage_args)

    def note_absence(self) -> None:
        """Remember that the server was away just now."""
        self._away_s = time.monotonic()

    def set_trial_state_values(
        self, trial_id: int, state: TrialState, values: Sequence[float] | None = None
    ) -> bool:
        """As Optuna's; that a trial has ended so already is no error: the answer was lost."""
        try:
            return super().set_trial_state_values(trial_id, state, values)
        except UpdateFinishedTrialError:
            # Of those who see that a trial is dead, one alone may try it again.
            if state == TrialState.FAIL or self.get_trial(trial_id).state != state:
                raise
            return True

    def _get_stale_trial_ids(self, study_id: int) -> list[int]:
        """Take nobody for dead before all had the time to say that they are alive."""
        heard_all_s = (self.get_heartbeat_interval() or 0) + 2 * _PAUSE_S
        if time.monotonic() - self._away_s < heard_all_s:
            return []
        return [*super()._get_stale_trial_ids(study_id), *self._find_unheard(study_id)]

    def _find_unheard(self, study_id: int) -> list[int]:
        """Return running trials without any heartbeat, which to Optuna are alive for ever."""
        since = datetime.now() - timedelta(seconds=self._grace_s)
        asked = select(models.TrialModel).where(
            models.TrialModel.study_id == study_id,
            models.TrialModel.state == TrialState.RUNNING,
            ~models.TrialModel.heartbeats.any(),
        )
        with Session(self.engine) as session:
            trials = session.scalars(asked).all()
            return [
                int(trial.trial_id) for trial in trials if (trial.datetime_start or since) < since
            ]


def _patiently(ask: Callable[..., R]) -> Callable[..., R]:
    @functools.wraps(ask)
    def ask_again(storage: PatientStorage, *args: Any, **kwargs: Any) -> R:
        until_s = time.monotonic() + storage.patience_s
        while True:
            try:
                return ask(storage, *args, **kwargs)
            except (StorageInternalError, *_LOST_CONNECTION) as error:
                cause = error.__cause__ if isinstance(error, StorageInternalError) else error
                if not isinstance(cause, _LOST_CONNECTION) or time.monotonic() > until_s:
                    raise
            storage.note_absence()
            time.sleep(_PAUSE_S)

    return ask_again


for _name in (
    "_create_new_trial", "_get_best_trial_id", "_get_stale_trial_ids", "_get_trials",
    "_set_trial_param", "create_new_study", "get_all_studies", "get_study_directions",
    "get_study_id_from_name", "get_study_name_from_id", "get_study_system_attrs",
    "get_study_user_attrs", "get_trial", "get_trial_id_from_study_id_trial_number",
    "record_heartbeat", "set_study_system_attr", "set_study_user_attr",
    "set_trial_intermediate_value", "set_trial_state_values", "set_trial_system_attr",
    "set_trial_user_attr",
):  # fmt: skip
    setattr(PatientStorage, _name, _patiently(getattr(PatientStorage, _name)))
