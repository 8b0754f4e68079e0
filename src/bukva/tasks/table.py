"""The tasks by name."""

from collections.abc import Mapping
from pkgutil import resolve_name
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    # Imported late: a command line that only names the tasks needs no arrays.
    from bukva.core.task import Task

TASKS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "glyph": "bukva.tasks.glyph.task:TASK",
        "character": "bukva.tasks.character.task:TASK",
        "document": "bukva.tasks.document.task:TASK",
        "line": "bukva.tasks.line.task:TASK",
    }
)
"""By name, where each is: a task is imported when it is needed."""


def find_task(name: str) -> "Task":
    """Return a task by its name."""
    task: Task = resolve_name(TASKS[name])
    return task


def load_recogniser(onnx_model: bytes) -> "tuple[Task, Any]":
    """Return the task that an ONNX file is of, and the recogniser in it.

    Raises:
        ModelFormatError: If it is not one of bukva's.
    """
    from bukva.core.predictor import OnnxModel

    opened = OnnxModel(onnx_model)
    task = find_task(opened.task)
    return task, task.load(opened)
