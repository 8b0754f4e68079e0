"""PostgreSQL goes away in the middle of a study, for longer than silence is forgiven."""

import multiprocessing
import threading
import time
from collections.abc import Iterator

import pandas as pd
import pytest
from clean_forks import clean_forks
from mlflow_server import Postgresql, run_crashing_postgresql
from optuna.trial import TrialState
from searches import Slowly, make_search, slide_into_bowl
from serving_servers import wait_for

from bukva.core.training.fit import OnEpoch
from bukva.core.tuning.trials import tabulate_trials
from bukva.core.tuning.work import run_workers, work_through
from bukva.errors import TuningError
from bukva.tasks.glyph.parameters import TrainingParameters

TRIALS = 6


@pytest.fixture(scope="module")
def database() -> Iterator[Postgresql]:
    with run_crashing_postgresql("studies") as server:
        yield server


def complete_of(url: str, **changes: object) -> int:
    return len(make_search(url, **changes).open().trials(TrialState.COMPLETE))


def test_workers_wait_for_the_database_and_no_finished_trial_is_lost(
    database: Postgresql, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = clean_forks()
    monkeypatch.setattr(multiprocessing, "get_context", lambda _: context)
    settings = {"trials": TRIALS, "workers": 2, "grace_s": 2}
    search = make_search(database.address, train=Slowly(0.3), **settings)
    search.open()
    before: list[dict[str, object]] = []

    def restart() -> None:
        wait_for(lambda: complete_of(database.address, **settings) >= 2, timeout_s=150)
        before.extend(finished_of(database.address, **settings))
        database.crash()
        time.sleep(3)  # longer than the grace of somebody who is silent
        database.start()

    thread = threading.Thread(target=restart, daemon=True)
    thread.start()
    run_workers(search)
    thread.join()
    trials = tabulate_trials(search.open().trials(), search.parameters.space)
    # Nobody was taken for dead, and as many finished as were asked for.
    assert trials["state"].eq("complete").sum() == TRIALS
    assert trials["retry_of"].isna().all()
    after = finished_of(database.address, **settings)
    assert len(before) >= 2
    assert all(trial in after for trial in before)


def finished_of(url: str, **changes: object) -> list[dict[str, object]]:
    return [
        {"number": trial.number, "value": trial.value, **trial.params}
        for trial in make_search(url, **changes).open().trials(TrialState.COMPLETE)
    ]


def test_a_database_that_stays_away_ends_the_search_with_advice(database: Postgresql) -> None:
    def train(parameters: TrainingParameters, on_epoch: OnEpoch) -> pd.DataFrame:
        database.crash()
        return slide_into_bowl(parameters, on_epoch)

    search = make_search(database.address, train=train, patience_s=0.1, study="away")
    with pytest.raises(TuningError, match="Start it, or name another in BUKVA_TUNING_STORAGE"):
        work_through(search)
    database.start()
    # The same command goes on with the study.
    again = make_search(database.address, study="away", grace_s=2)
    work_through(again)
    assert complete_of(database.address, study="away") == again.parameters.trials


def test_a_trial_that_others_took_is_given_up_and_the_worker_goes_on(
    database: Postgresql,
) -> None:
    search = make_search(database.address, study="taken")
    study = search.open()
    taken: list[int] = []

    def train(parameters: TrainingParameters, on_epoch: OnEpoch) -> pd.DataFrame:
        if not taken:
            [trial] = study.trials(TrialState.RUNNING)
            taken.append(trial.number)
            study.study.tell(trial.number, state=TrialState.FAIL)
        return slide_into_bowl(parameters, on_epoch)

    work_through(make_search(database.address, train=train, study="taken"))
    trials = tabulate_trials(study.trials(), search.parameters.space)
    assert trials["state"].eq("complete").sum() == search.parameters.trials
    assert trials["state"][taken[0]] == "fail"


def test_a_trial_whose_worker_died_before_its_first_heartbeat_is_tried_again(
    database: Postgresql,
) -> None:
    search = make_search(database.address, study="unheard", grace_s=2)
    study = search.open()
    unheard = study.ask()
    assert unheard.number == 0
    work_through(search)
    trials = tabulate_trials(study.trials(), search.parameters.space)
    assert trials["state"].eq("complete").sum() == search.parameters.trials
    assert trials["state"][0] == "fail"
    assert 0 in trials["retry_of"].to_list()


def test_no_more_finish_than_were_asked_for(
    database: Postgresql, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = clean_forks()
    monkeypatch.setattr(multiprocessing, "get_context", lambda _: context)
    search = make_search(database.address, train=Slowly(0.05), workers=4, trials=5, study="exact")
    run_workers(search)
    trials = tabulate_trials(search.open().trials(), search.parameters.space)
    assert trials["state"].eq("complete").sum() == 5
