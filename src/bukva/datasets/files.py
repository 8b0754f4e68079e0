"""Datasets of one file, read and saved whole, on local disk or S3.

Kedro's own (`JSONDataset`, `ParquetDataset`, ...) are given local paths, so that each has the saves
and the errors of `bukva.datasets.storage`; what they write and preview stays theirs.
"""

from pathlib import Path, PurePosixPath
from typing import Any, ClassVar, NewType, NoReturn, TypeVar

import numpy as np
from kedro.io import AbstractDataset, DatasetError
from kedro.io.core import get_protocol_and_path
from kedro.utils import load_obj
from kedro_datasets import json, pandas, text, yaml
from numpy.typing import NDArray

from bukva.core.predictor import OnnxModel
from bukva.datasets.storage import Files
from bukva.tasks.table import load_recogniser

T = TypeVar("T")

# kedro-viz goes by the names of these types.
JSONPreview = NewType("JSONPreview", str)
TablePreview = NewType("TablePreview", dict[str, Any])
ImagePreview = NewType("ImagePreview", str)


class ReadOnlyDataset(AbstractDataset[NoReturn, T]):
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


class FileDataset(AbstractDataset[T, T]):
    """A dataset that is one file."""

    def __init__(
        self,
        *,
        filepath: str,
        fs_args: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._protocol, path = get_protocol_and_path(filepath)
        # kedro-mlflow and kedro-viz look for the path under this name, and kedro-mlflow sets it.
        self._filepath = PurePosixPath(path)
        self._fs_args = fs_args or {}
        self.metadata = metadata

    def beside(self, suffix: str = "") -> Files:
        """Return the file, or the one beside it with another suffix."""
        path = self._filepath.with_suffix(suffix) if suffix else self._filepath
        address = str(path) if self._protocol == "file" else f"{self._protocol}://{path}"
        return Files(address, **self._fs_args)

    def _exists(self) -> bool:
        return self.beside().exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath, "protocol": self._protocol}


class KedroDataset(FileDataset[Any]):
    """A dataset of Kedro's, its file read and saved as all of ours are.

    Args:
        filepath: Path or address of the file.
        kind_args: Further arguments of Kedro's dataset, such as `save_args`.
        metadata: For other tools, such as kedro-viz; not used here.
    """

    kind: ClassVar[type[Any]]

    def __init__(
        self, *, filepath: str, metadata: dict[str, Any] | None = None, **kind_args: Any
    ) -> None:
        super().__init__(filepath=filepath, metadata=metadata)
        self._kind_args = kind_args
        self._at(Path("checked"))  # that there are such arguments

    def load(self) -> Any:
        """Return what Kedro's dataset reads."""
        with self.beside().fetched() as path:
            try:
                return self._at(path).load()
            except DatasetError as error:
                raise (error.__cause__ or error) from None  # which does not name the real file

    def save(self, data: Any) -> None:
        """Have Kedro's dataset write the file."""
        with self.beside().saving() as path:
            try:
                self._at(path).save(data)
            except DatasetError as error:
                raise (error.__cause__ or error) from None

    def _preview(self, *args: Any) -> Any:
        with self.beside().fetched() as path:
            return self._at(path).preview(*args)

    def _at(self, path: Path) -> Any:
        return self.kind(filepath=str(path), **self._kind_args)


class JSONDataset(KedroDataset):
    """Plain values as JSON."""

    kind = json.JSONDataset

    def preview(self) -> JSONPreview:
        """Return the values as kedro-viz shows them."""
        return JSONPreview(self._preview())


class YAMLDataset(JSONDataset):
    """Plain values as YAML."""

    kind = yaml.YAMLDataset


class TextDataset(KedroDataset):
    """Text."""

    kind = text.TextDataset


class CSVDataset(KedroDataset):
    """A table as CSV."""

    kind = pandas.CSVDataset

    def preview(self, nrows: int = 5) -> TablePreview:
        """Return the first rows as kedro-viz shows them."""
        return TablePreview(self._preview(nrows))


class ParquetDataset(CSVDataset):
    """A table as Parquet."""

    kind = pandas.ParquetDataset


class ArrayDataset(FileDataset[NDArray[Any]]):
    """One NumPy array as an `.npy` file; pickled objects are neither written nor read.

    The file is mapped: what is looked at is in memory, and only until the system needs the room.
    From S3 it is fetched into a temporary file, which goes with the array.
    """

    def load(self) -> NDArray[Any]:
        """Return the array; what is changed in it stays in memory, the file is as it was."""
        with self.beside().fetched() as path:
            return np.asarray(np.load(path, mmap_mode="c", allow_pickle=False))

    def save(self, data: NDArray[Any]) -> None:
        """Write the array.

        Raises:
            ValueError: If it holds objects; nothing is written then.
        """
        if data.dtype.hasobject:
            raise ValueError("Expected an array of numbers, got objects, which only pickle saves.")
        with self.beside().saving() as path, path.open("wb") as file:
            np.save(file, data, allow_pickle=False)


class IfThereDataset(ReadOnlyDataset[Any]):
    """What another dataset loads, None where there is nothing to load.

    Args:
        filepath: Path or address of its file.
        kind: The other dataset's class, by its full name.
        metadata: For other tools, such as kedro-viz; not used here.
    """

    written_by = "it is written under its own name"

    def __init__(self, *, filepath: str, kind: str, metadata: dict[str, Any] | None = None) -> None:
        self._dataset: FileDataset[Any] = load_obj(kind)(filepath=filepath)
        self.metadata = metadata

    def load(self) -> Any:
        """Return what is there, or None."""
        return self._dataset.load() if self._dataset.exists() else None

    def _exists(self) -> bool:
        return self._dataset.exists()

    def _describe(self) -> dict[str, Any]:
        return {"dataset": self._dataset}


class FolderDataset(ReadOnlyDataset[Files]):
    """A folder that people filled: gives the node what lists and reads its files.

    Args:
        filepath: The folder, or its address.
        setting: The parameter that names it, for the error.
        metadata: For other tools, such as kedro-viz; not used here.
    """

    written_by = "put files into the folder"

    def __init__(
        self, *, filepath: str, setting: str, metadata: dict[str, Any] | None = None
    ) -> None:
        self._filepath, self._setting = filepath, setting
        self.metadata = metadata

    def load(self) -> Files:
        """Return the folder.

        Raises:
            DatasetError: If there is nothing in it.
        """
        files = Files(self._filepath)
        if not files.names():
            message = f"Expected files in the folder {files.address!r}, found none"
            raise DatasetError(f"{message}: --params={self._setting}=<folder>.")
        return files

    def _exists(self) -> bool:
        return bool(Files(self._filepath).names())

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath}


class RecogniserDataset(FileDataset[Any]):
    """The recogniser of any task as one ONNX file, which tells whose it is.

    Where kedro-mlflow packages it, the file must be local.
    """

    def load(self) -> Any:
        """Return the recogniser, ready to be called."""
        _, recogniser = load_recogniser(self.beside().read())
        return recogniser

    def save(self, data: OnnxModel) -> None:
        """Write the ONNX file."""
        self.beside().write(data.onnx_model)
