"""Several processes on one study, in SQLite and in a real PostgreSQL; one of them is killed."""

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from clean_forks import clean_forks
from mlflow_server import run_postgresql
from searches import KilledOnce, ask_at_once, fail, make_search
from serving_servers import free_port

from bukva.core.tuning.trials import tabulate_trials
from bukva.core.tuning.work import run_workers
from bukva.errors import TuningError

VALUES = ["learning_rate", "augmentation.slant"]


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    """The address of an empty database of a server of our own."""
    with run_postgresql("studies") as address:
        yield address


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/studies.db"
    address: str = request.getfixturevalue("postgresql")
    return address


def test_workers_that_come_at_once_make_the_tables_once(postgresql: str) -> None:
    search = make_search(postgresql, study="race")
    with ThreadPoolExecutor(4) as pool:
        opened = [pool.submit(search.open) for _ in range(4)]
    assert {shared.result().study.study_name for shared in opened} == {"race"}


def test_a_trial_that_waits_is_given_to_one_worker(tmp_path: Path) -> None:
    context = clean_forks()
    for attempt in range(3):
        url = f"sqlite:///{tmp_path}/{attempt}.db"
        make_search(url).open()
        ready, numbers = context.Barrier(4), context.Queue()
        workers = [
            context.Process(target=ask_at_once, args=(url, ready, numbers)) for _ in range(4)
        ]
        for worker in workers:
            worker.start()
        assert sorted(numbers.get(timeout=60) for _ in workers) == [0, 1, 2, 3]
        for worker in workers:
            worker.join()


@pytest.fixture
def forked(monkeypatch: pytest.MonkeyPatch) -> None:
    context = clean_forks()
    monkeypatch.setattr(multiprocessing, "get_context", lambda _: context)


def check_that_one_was_killed(url: str, folder: Path) -> None:
    search = make_search(url, train=KilledOnce(folder / "killed"), trials=4, workers=2)
    run_workers(search)
    trials = tabulate_trials(search.open().trials(), search.parameters.space)
    [killed] = trials.index[trials["state"].eq("fail")]
    [again] = trials.index[trials["retry_of"].eq(killed)]
    # Two may see at the same moment that one more trial is wanted.
    assert 4 <= trials["state"].eq("complete").sum() <= 5
    assert trials["state"][again] == "complete"
    assert trials[VALUES].loc[again].to_list() == trials[VALUES].loc[killed].to_list()
    assert not trials[VALUES].drop(again).duplicated().any()


@pytest.mark.usefixtures("forked")
def test_a_killed_workers_trial_is_tried_again_by_the_others(url: str, tmp_path: Path) -> None:
    check_that_one_was_killed(url, tmp_path)


@pytest.mark.slow
def test_workers_that_are_started_anew_are_told_everything(tmp_path: Path) -> None:
    check_that_one_was_killed(f"sqlite:///{tmp_path}/studies.db", tmp_path)


@pytest.mark.usefixtures("forked")
def test_workers_that_all_fail_are_an_error(tmp_path: Path) -> None:
    search = make_search(f"sqlite:///{tmp_path}/studies.db", train=fail, workers=2)
    with pytest.raises(TuningError, match=r"all 2 ended with \[1, 1\].*goes on"):
        run_workers(search)


def test_a_database_that_is_not_there_is_named_without_its_password() -> None:
    search = make_search(f"postgresql+psycopg://me:secret@127.0.0.1:{free_port()}/studies")
    with pytest.raises(TuningError, match="BUKVA_TUNING_STORAGE") as refusal:
        search.open()
    assert "me:***@127.0.0.1" in str(refusal.value)
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    ("url", "told"), [("nowhere", "an address that is none"), ("mysql+nodriver://h/d", "mysql")]
)
def test_an_address_that_is_none_is_refused(url: str, told: str) -> None:
    with pytest.raises(TuningError, match=told):
        make_search(url).open()
