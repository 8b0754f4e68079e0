"""What is in production, in a real registry: one change at a time, and none half done."""

import os
import shutil
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow.tracking import MlflowClient

from bukva.errors import PromotionConflictError, RegistryError, SealError
from bukva.registry import production
from bukva.registry.history import read_log
from bukva.registry.production import put_into_production, roll_back

# Another spelling of an address is another connection; SQLite does not know what it says.
pytestmark = pytest.mark.filterwarnings("ignore:Query string argument")

Versions = Callable[[int], list[str]]

# Everything that is written to the registry.
WRITES = (
    "create_experiment", "rename_experiment", "delete_experiment", "set_registered_model_tag",
    "set_registered_model_alias", "delete_registered_model_alias", "set_model_version_tag",
)  # fmt: skip


def aliases(name: str) -> dict[str, str]:
    found = MlflowClient().get_registered_model(name).aliases
    return {alias: str(version) for alias, version in found.items()}


def statuses(name: str) -> dict[str, str]:
    found = MlflowClient().search_model_versions(f"name = '{name}'")
    return {str(item.version): item.tags.get("status", "") for item in found}


def states(name: str) -> list[tuple[str, str]]:
    return [(entry.version, entry.state) for entry in read_log(name)]


def test_the_version_that_leaves_becomes_previous_and_others_are_archived(
    name: str, versions: Versions
) -> None:
    versions(3)
    put_into_production(name, "1", expected="", why="the first")
    assert aliases(name) == {"prod": "1"}
    put_into_production(name, "2", expected="1", why="better")
    assert aliases(name) == {"prod": "2", "previous": "1"}
    put_into_production(name, "3", expected="2", why="better still")
    assert aliases(name) == {"prod": "3", "previous": "2"}
    assert statuses(name) == {"3": "production", "2": "previous", "1": "archived"}


def test_who_when_from_and_why_are_written_down(name: str, versions: Versions) -> None:
    versions(2)
    put_into_production(name, "1", expected="", why="the first")
    put_into_production(name, "2", expected="1", why="better")
    tags = MlflowClient().get_model_version(name, "2").tags
    assert "@" in tags["promoted_by"]
    assert tags["promoted_at"].endswith("+00:00")
    assert tags["promoted_from"] == "1"
    assert tags["promoted_why"] == "better"
    first, second = read_log(name)
    assert (first.action, first.former, first.version, first.why) == (
        "promote", None, "1", "the first",
    )  # fmt: skip
    assert (second.former, second.version, second.state) == ("1", "2", "done")
    assert second.number > first.number
    assert second.at >= first.at


def test_a_rollback_goes_back_and_a_second_one_returns(name: str, versions: Versions) -> None:
    versions(2)
    put_into_production(name, "1", expected="", why="the first")
    put_into_production(name, "2", expected="1", why="better")
    assert roll_back(name, "worse after all") == "1"
    assert aliases(name) == {"prod": "1", "previous": "2"}
    assert roll_back(name, "no, it was the pen") == "2"
    assert aliases(name) == {"prod": "2", "previous": "1"}
    assert [entry.action for entry in read_log(name)] == ["promote"] * 2 + ["roll back"] * 2


def test_without_a_former_version_there_is_no_rollback(name: str, versions: Versions) -> None:
    versions(1)
    put_into_production(name, "1", expected="", why="the first")
    with pytest.raises(RegistryError, match="was in production before, found none"):
        roll_back(name, "try")
    assert aliases(name) == {"prod": "1"}


def test_the_candidate_that_is_promoted_is_none_any_more(name: str, versions: Versions) -> None:
    versions(1)
    MlflowClient().set_registered_model_alias(name, "candidate", "1")
    put_into_production(name, "1", expected="", why="the first")
    assert aliases(name) == {"prod": "1"}


def test_somebody_who_expected_another_version_is_told(name: str, versions: Versions) -> None:
    versions(3)
    put_into_production(name, "1", expected="", why="the first")
    put_into_production(name, "2", expected="1", why="better")
    with pytest.raises(PromotionConflictError, match="Expected version 1 in production, found ver"):
        put_into_production(name, "3", expected="1", why="compared with 1")
    assert aliases(name) == {"prod": "2", "previous": "1"}
    assert states(name)[-1] == ("3", "refused")


def test_an_alias_that_does_not_read_back_is_an_error(
    name: str, versions: Versions, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions(2)
    set_alias = MlflowClient.set_registered_model_alias

    def set_and_lose(client: MlflowClient, model: str, alias: str, version: str) -> None:
        """Somebody sets the alias by hand between our write and our look."""
        set_alias(client, model, alias, version)
        set_alias(client, model, alias, "2")

    monkeypatch.setattr(MlflowClient, "set_registered_model_alias", set_and_lose)
    with pytest.raises(PromotionConflictError, match="Expected version 1 in production, found ver"):
        put_into_production(name, "1", expected="", why="the first")


def test_a_version_without_its_files_never_gets_there(
    name: str, versions: Versions, registry_folder: Path
) -> None:
    versions(2)
    put_into_production(name, "1", expected="", why="the first")
    place = MlflowClient().get_model_version_download_uri(name, "2").removeprefix("file://")
    (Path(place) / "artifacts" / "recogniser.onnx").unlink()
    with pytest.raises(SealError):
        put_into_production(name, "2", expected="1", why="better")
    shutil.rmtree(place)
    with pytest.raises(RegistryError, match=str(place)):
        put_into_production(name, "2", expected="1", why="better")
    assert aliases(name) == {"prod": "1"}
    assert states(name) == [("1", "done")]


def test_a_version_whose_files_are_gone_is_not_rolled_back_to(
    name: str, versions: Versions
) -> None:
    versions(2)
    put_into_production(name, "1", expected="", why="the first")
    put_into_production(name, "2", expected="1", why="better")
    place = MlflowClient().get_model_version_download_uri(name, "1").removeprefix("file://")
    shutil.rmtree(place)
    with pytest.raises(RegistryError, match=str(place)):
        roll_back(name, "worse after all")
    assert aliases(name) == {"prod": "2", "previous": "1"}


def in_child(work: Callable[[], None]) -> int:
    """Do something in a process of its own, with a database connection of its own."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        reconnect()
        work()
        code = 0
    except PromotionConflictError:
        code = 3
    finally:
        os._exit(code)


def reconnect() -> None:
    """Take a connection of one's own: another spelling of the address is another one."""
    uri = mlflow.get_tracking_uri()
    if not uri.startswith("http"):
        mark = "&" if "?" in uri else "?"
        mlflow.set_tracking_uri(f"{uri}{mark}application_name=child{os.getpid()}")


def wait(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def die_before_write(number: int) -> None:
    """Let this process end as if it was killed, before it writes for the nth time."""
    count = Counter[str]()

    def counted(write: Any) -> Any:
        def run(*args: Any, **kwargs: Any) -> Any:
            count["writes"] += 1
            if count["writes"] == number:
                os._exit(9)
            return write(*args, **kwargs)

        return run

    for name in WRITES:
        setattr(MlflowClient, name, counted(getattr(MlflowClient, name)))


@pytest.fixture
def short_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    """The dead are found out at once."""
    monkeypatch.setattr(production, "LEASE_S", 0.05)


@pytest.mark.parametrize(
    ("versions_anywhere", "rerun"),
    [
        ("sqlite", "promote"), ("sqlite", "roll back"), ("postgresql", "roll back"),
        ("server", "promote"),
    ],
    indirect=["versions_anywhere"],
)  # fmt: skip
def test_whoever_is_killed_between_two_steps_leaves_nothing_half_done(
    name: str, versions_anywhere: Versions, short_lease: None, rerun: str
) -> None:
    versions_anywhere(3)
    put_into_production(name, "1", expected="", why="the first")
    put_into_production(name, "2", expected="1", why="better")
    for number in range(1, 40):

        def promote(number: int = number) -> None:
            die_before_write(number)
            put_into_production(name, "3", expected="2", why="better still")

        code = wait(in_child(promote))
        left = aliases(name)
        assert left["prod"] in ("2", "3")
        if rerun == "roll back" and left["prod"] == "3":
            assert roll_back(name, "worse after all") == "2"
        elif left["prod"] == "2":
            put_into_production(name, "3", expected="2", why="better still")
        if aliases(name)["prod"] == "3":
            # Somebody who comes later finishes what was begun.
            put_into_production(name, "2", expected="3", why="next")
        assert aliases(name) == {"prod": "2", "previous": "3"}
        assert statuses(name) == {"2": "production", "3": "previous", "1": "archived"}
        assert "begun" not in {state for _, state in states(name)}
        if code == 0:
            break
    assert number > 8
    assert code == 0


@pytest.mark.parametrize("versions_anywhere", ["sqlite", "postgresql", "server"], indirect=True)
def test_of_ten_at_once_one_wins_and_the_others_are_told(
    name: str, versions_anywhere: Versions
) -> None:
    versions_anywhere(3)
    put_into_production(name, "1", expected="", why="the first")

    def promote(version: str) -> None:
        put_into_production(name, version, expected="1", why="now")

    children = [in_child(partial(promote, version)) for version in "23" * 5]
    codes = Counter(wait(pid) for pid in children)
    assert codes == {0: 1, 3: 9}
    [winner] = [version for version, state in states(name)[1:] if state == "done"]
    assert aliases(name) == {"prod": winner, "previous": "1"}
    assert Counter(state for _, state in states(name)) == {"done": 2, "refused": 9}
