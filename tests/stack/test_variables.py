"""The file of variables that a new stack gets."""

from pathlib import Path

import pytest

from bukva.errors import StackError
from bukva.stack.variables import read_variables, write_variables
from kedro_project import PROJECT

TEMPLATE = PROJECT / ".env.example"


def test_each_password_is_new_and_its_owners_alone(tmp_path: Path) -> None:
    first, second = tmp_path / "first.env", tmp_path / "second.env"
    for file in (first, second):
        write_variables(TEMPLATE, file, {"STACK_PORT": "8400"})
        assert file.stat().st_mode & 0o777 == 0o600
    given = read_variables(first)
    secrets = {name for name, value in read_variables(TEMPLATE).items() if given[name] != value}
    secrets -= {"STACK_PORT"}
    assert len(secrets) == 12
    assert all(len(given[name]) >= 32 for name in secrets)
    assert len({given[name] for name in secrets}) == len(secrets)
    assert not secrets & {
        name for name, value in read_variables(second).items() if value == given[name]
    }


def test_what_explains_them_goes_along_and_a_file_that_is_there_stays(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    write_variables(TEMPLATE, file)
    content = file.read_text()
    assert len(content.splitlines()) == len(TEMPLATE.read_text().splitlines())
    write_variables(TEMPLATE, file, {"STACK_PORT": "1"})
    assert file.read_text() == content


def test_without_a_template_it_says_where_to_stand(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="project's root"):
        write_variables(tmp_path / "none", tmp_path / ".env")
