"""Datasets that nodes load and never save."""

from typing import ClassVar, NoReturn, TypeVar

from kedro.io import AbstractDataset, DatasetError

_T = TypeVar("_T")


class ReadOnlyDataset(AbstractDataset[NoReturn, _T]):
    """Base of what is written by somebody else than a node that has it as its output."""

    written_by: ClassVar[str]
    """Who writes it, or what to run: the end of the error."""

    def save(self, data: NoReturn) -> NoReturn:
        """Refuse.

        Raises:
            DatasetError: Always.
        """
        name, got = type(self).__name__, type(data).__name__
        raise DatasetError(f"{name} is read-only, got {got} to save: {self.written_by}.")
