"""The tasks by name."""

from collections.abc import Mapping
from pkgutil import resolve_name
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    # Imported late: a command line that only names the tasks needs no arrays.
    from bukva.core.task import Task

TASKS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "glyph": "bukva.tasks.glyph.task:TASK",
        "character": "bukva.tasks.character.task:TASK",
    }
)
"""By name, where each is: a task is imported when it is needed."""


def find_task(name: str) -> "Task":
    """Return a task by its name."""
    task: Task = resolve_name(TASKS[name])
    return task
