"""The file of variables that a new stack gets."""

from pathlib import Path

import pytest
from kedro_project import PROJECT

from bukva.cli.stack_processes.processes import open_stack, write_variables
from bukva.errors import StackError

TEMPLATE = PROJECT / ".env.example"


@pytest.fixture(autouse=True)
def project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PROJECT)


def read(file: Path) -> dict[str, str]:
    lines = [line for line in file.read_text().splitlines() if line[:1].isalpha()]
    return dict(line.split("=", 1) for line in lines)


def test_each_password_is_new_and_its_owners_alone(tmp_path: Path) -> None:
    first, second = tmp_path / "first.env", tmp_path / "second.env"
    for file in (first, second):
        assert write_variables(file, STACK_PORT="8400")
        assert file.stat().st_mode & 0o777 == 0o600
    given = read(first)
    assert given["STACK_PORT"] == "8400"
    secrets = {name for name, value in read(TEMPLATE).items() if given[name] != value}
    secrets -= {"STACK_PORT"}
    assert len(secrets) == 12
    assert all(len(given[name]) >= 32 for name in secrets)
    assert len({given[name] for name in secrets}) == len(secrets)
    assert not secrets & {name for name, value in read(second).items() if value == given[name]}


def test_what_explains_them_goes_along_and_a_file_that_is_there_stays(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    write_variables(file)
    content = file.read_text()
    assert len(content.splitlines()) == len(TEMPLATE.read_text().splitlines())
    assert not write_variables(file, STACK_PORT="1")
    assert file.read_text() == content


def test_without_a_template_it_says_where_to_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StackError, match="project's root"):
        write_variables(tmp_path / ".env")


def test_a_password_that_supervisord_would_misread_is_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "stack.env"
    write_variables(file)
    file.write_text(file.read_text().replace("\nS3_OWNER_SECRET=", '\nS3_OWNER_SECRET="a # b'))
    with pytest.raises(StackError, match="S3_OWNER_SECRET"):
        open_stack(tmp_path)
