"""The log of promotions, and versions with their times in production, in a real registry."""

from collections.abc import Callable

import pytest
from mlflow.tracking import MlflowClient

from bukva.errors import RegistryError
from bukva.registry.history import read_history, read_log
from bukva.registry.production import put_into_production, roll_back

Versions = Callable[[int], list[str]]


def write_as_revision_d10ac51(
    name: str, action: str, version: str, former: str, state: str
) -> None:
    """Write an entry as that revision did: a version of another registered model."""
    client, log = MlflowClient(), f"{name}-promotions"
    if not client.search_registered_models(f"name = '{log}'"):
        client.create_registered_model(log)
    tags = {"action": action, "promoted": version, "former": former, "by": "ann@lab"}
    client.create_model_version(
        log, source=f"models:/{name}/{version}", tags={**tags, "why": "better", "state": state}
    )


def test_nothing_is_known_of_a_model_that_is_not_there(name: str, registry_folder: object) -> None:
    assert read_log(name) == []
    assert read_history(name).versions == []
    with pytest.raises(RegistryError, match="got 'prod', of none"):
        read_history(name).find("prod")


def test_each_version_has_its_aliases_and_its_times(name: str, versions: Versions) -> None:
    versions(2)
    put_into_production(name, "1", expected="", why="the first")
    put_into_production(name, "2", expected="1", why="better")
    roll_back(name, "worse after all")
    history = read_history(name)
    assert [record.version for record in history.versions] == ["2", "1"]
    first, second = history.find("prod"), history.find("previous")
    assert (first.version, first.aliases, second.version) == ("1", ["prod"], "2")
    assert [period.why for period in first.in_production] == ["the first", "worse after all"]
    assert [period.to is None for period in first.in_production] == [False, True]
    assert [entry.number for entry in history.log] == [1, 2, 3]


def test_a_log_of_a_former_release_is_shown_and_rolled_back_to(
    name: str, versions: Versions
) -> None:
    versions(2)
    for number, former in (("1", ""), ("2", "1")):
        write_as_revision_d10ac51(name, "promote", number, former, "done")
        MlflowClient().set_registered_model_alias(name, "prod", number)
    MlflowClient().set_registered_model_alias(name, "previous", "1")
    write_as_revision_d10ac51(name, "promote", "1", "9", "refused")
    assert [(entry.version, entry.state) for entry in read_log(name)] == [
        ("1", "done"), ("2", "done"), ("1", "refused"),
    ]  # fmt: skip
    assert [period.to is None for period in read_history(name).find("2").in_production] == [True]
    assert roll_back(name, "worse after all") == "1"
    entries = read_log(name)
    assert [entry.number for entry in entries] == [1, 2, 3, 4]
    assert (entries[0].former, entries[3].former, entries[3].by != "ann@lab") == (None, "2", True)
    assert [len(record.in_production) for record in read_history(name).versions] == [1, 2]


def test_what_a_former_release_was_killed_in_is_finished(name: str, versions: Versions) -> None:
    versions(3)
    MlflowClient().set_registered_model_alias(name, "prod", "2")
    write_as_revision_d10ac51(name, "promote", "1", "", "done")
    write_as_revision_d10ac51(name, "promote", "2", "1", "begun")
    put_into_production(name, "3", expected="2", why="better still")
    assert [(entry.number, entry.version, entry.state) for entry in read_log(name)] == [
        (1, "1", "done"), (2, "2", "done"), (3, "3", "done"),
    ]  # fmt: skip
    assert MlflowClient().get_model_version(name, "2").tags["promoted_by"] == "ann@lab"
    assert read_history(name).find("previous").version == "2"


def test_a_long_reason_is_cut(name: str, versions: Versions) -> None:
    versions(1)
    put_into_production(name, "1", expected="", why="ж" * 9000)
    assert read_log(name)[0].why == "ж" * 3000
