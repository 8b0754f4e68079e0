"""One version of the packaged model in memory."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

from bukva import dossier
from bukva.errors import ModelError
from bukva.serving.model.contract import EXPLAIN, PROBE_IMAGES, read_map
from bukva.serving.model.drift import DriftMonitor
from bukva.serving.schemas import Method, ServedModel


@dataclass(frozen=True)
class Dossier:
    """What a model carries beside the network: see `bukva.dossier`; empty where it has none."""

    golden: Sequence[Mapping[str, Any]] = ()
    reference: Mapping[str, Any] = field(default_factory=dict)
    results: Mapping[str, Any] = field(default_factory=dict)
    card: str = ""
    figures: Mapping[str, bytes] = field(default_factory=dict)

    @classmethod
    def read(cls, model: Path) -> Self:
        """Read it from the files of a packaged model.

        Raises:
            ModelError: If a file of it cannot be read.
        """
        folder = model / dossier.FOLDER
        try:
            return cls(
                golden=_read_json(folder / dossier.GOLDEN, []),
                reference=_read_json(folder / dossier.REFERENCE, {}),
                results=_read_json(folder / dossier.RESULTS, {}),
                card=_read(folder / dossier.CARD).decode("utf-8"),
                figures={
                    path.stem: path.read_bytes()
                    for path in sorted(folder.glob(f"*{dossier.FIGURE_SUFFIX}"))
                },
            )
        except (OSError, ValueError) as error:
            message = f"Expected a dossier that can be read, got {type(error).__name__}."
            raise ModelError(message) from error


@dataclass(frozen=True)
class LoadedModel:
    """One version of the packaged model, ready to be called from any thread.

    Attributes:
        identity: Which one it is.
        pyfunc: What answers.
        digest: Of its files.
        is_signed: Whether somebody trusted has signed that.
        dossier: What it carries beside the network.
        drift: What it was asked lately.
        files: Where they lie, as long as it is used.
        loaded: When.
    """

    identity: ServedModel
    pyfunc: Any  # mlflow.pyfunc.PyFuncModel, which is imported late and has no types
    digest: str
    is_signed: bool
    dossier: Dossier
    drift: DriftMonitor
    files: TemporaryDirectory[str]
    loaded: datetime = field(default_factory=lambda: datetime.now(UTC))

    def predict(self, images: Sequence[bytes], *, with_map: bool = False) -> list[dict[str, Any]]:
        """One row (column -> value) for each encoded image, in their order; missing is None.

        Args:
            images: The files.
            with_map: Whether each row shall also hold what `read_map` reads.

        Raises:
            ModelError: If there are not as many rows as images.
        """
        import pandas as pd

        asked = {"image": list(images)} | ({EXPLAIN: True} if with_map else {})
        answer = self.pyfunc.predict(pd.DataFrame(asked))
        if len(answer) != len(images):
            raise ModelError(f"Expected {len(images)} rows from the model, got {len(answer)}.")
        columns = list(answer.columns)
        # `to_dict` costs as much as the network does.
        return [
            {
                column: None if _is_missing(value, pd.NA) else value
                for column, value in zip(columns, row, strict=True)
            }
            for row in answer.to_numpy(dtype=object)
        ]

    @cached_property
    def mapped(self) -> "MappedModel | None":
        """The same model, asked for a map too; None if it has none to give.

        It is asked once: what a model declares, its network need not be able to do.
        """
        schema = self.pyfunc.metadata.get_input_schema()
        if schema is None or EXPLAIN not in schema.input_names():
            return None
        [row] = self.predict(PROBE_IMAGES[:1], with_map=True)
        return None if read_map(row) is None else MappedModel(self)

    @property
    def methods(self) -> list[Method]:
        """How it can be asked why."""
        return ["occlusion", "gradcam"] if self.mapped else ["occlusion"]


@dataclass(frozen=True, eq=False)
class MappedModel:
    """A model that is asked where its network found the label, too."""

    model: LoadedModel

    def predict(self, images: Sequence[bytes], /) -> list[dict[str, Any]]:
        """One row for each encoded image, as `LoadedModel.predict` gives it, with a map."""
        return self.model.predict(images, with_map=True)


def _is_missing(value: object, not_available: object) -> bool:
    """Return whether pandas means nothing: NaN or NA, as the type of a column pleases."""
    return value is not_available or (isinstance(value, float) and math.isnan(value))


def _read(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def _read_json(path: Path, default: Any) -> Any:
    return json.loads(content) if (content := _read(path)) else default
