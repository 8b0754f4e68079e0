"""One version of a model in memory: what it must know, what it is, and how its use drifts.

The population stability index compares how two samples spread over the same bins: below 0.1 they
are alike, above 0.25 they are not (Siddiqi, Credit Risk Scorecards, 2006, section 6).
"""

import json
import math
import time
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Generic, Self, TypeVar

from bukva.errors import ModelError
from bukva.registry import package_files as dossier
from bukva.serving.schemas import ServedModel

# An empty bin would make the index infinite.
_LEAST_SHARE: Final = 1e-3
LABELS: Final = "label"
REFUSED: Final = "none"


class DriftMonitor:
    """Keeps the last answers of one model, as bins, and compares them with its reference."""

    def __init__(self, reference: Mapping[str, Any], window: int) -> None:
        """Begin with no answer.

        Args:
            reference: As `metadata.REFERENCE` holds it; empty where a model has none.
            window: How many answers are compared.
        """
        measures = reference.get("measures", {})
        self._edges = {name: spread["edges"] for name, spread in measures.items()}
        self._expected = {
            name: dict(enumerate(spread["shares"])) for name, spread in measures.items()
        }
        if labels := reference.get("labels"):
            self._expected[LABELS] = labels
        self._window = window
        self._seen: dict[str, deque[Any]] = {name: deque() for name in self._expected}
        self._counts: dict[str, Counter[Any]] = {name: Counter() for name in self._expected}

    def add(self, label: str | None, measured: Mapping[str, float | None]) -> None:
        """Take an answer into account: its label, None where the image is refused, and measures."""
        if LABELS in self._expected:
            self._push(LABELS, label or REFUSED)
        for name, edges in self._edges.items():
            if (value := measured.get(name)) is not None:
                self._push(name, bisect_right(edges, value))

    def index(self) -> dict[str, float]:
        """Return the population stability index of each measure that fills the window, from 0."""
        return {
            name: _stability_index(self._expected[name], self._counts[name], len(seen))
            for name, seen in self._seen.items()
            if len(seen) >= self._window
        }

    def _push(self, name: str, place: Any) -> None:
        seen, counts = self._seen[name], self._counts[name]
        seen.append(place)
        counts[place] += 1
        if len(seen) > self._window:
            counts[seen.popleft()] -= 1


def _stability_index(expected: Mapping[Any, float], counts: Mapping[Any, int], total: int) -> float:
    index = 0.0
    for place in expected.keys() | counts.keys():
        was = max(expected.get(place, 0.0), _LEAST_SHARE)
        now = max(counts.get(place, 0) / total, _LEAST_SHARE)
        index += (now - was) * math.log(now / was)
    return index


@dataclass(frozen=True)
class Dossier:
    """What a model carries beside the network: see `bukva.registry.package_files`."""

    golden: bytes = b"[]"
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
                golden=_read(folder / dossier.GOLDEN) or b"[]",
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


R = TypeVar("R")


@dataclass(frozen=True, eq=False)
class LoadedModel(ABC, Generic[R]):
    """One version of a packaged model, ready to be called from any thread.

    Attributes:
        identity: Which one it is.
        recogniser: What answers.
        digest: Of its files.
        is_signed: Whether somebody trusted has signed that.
        dossier: What it carries beside the network.
        drift: What it was asked lately.
        loaded: When.
    """

    identity: ServedModel
    recogniser: R
    digest: str
    is_signed: bool
    dossier: Dossier
    drift: DriftMonitor
    loaded: datetime = field(default_factory=lambda: datetime.now(UTC))

    @classmethod
    @abstractmethod
    def open(cls, onnx_model: bytes, deadline_s: float) -> Any:
        """Return the recogniser in an ONNX file.

        Args:
            onnx_model: The bytes of the file.
            deadline_s: Nobody waits longer for an answer.

        Raises:
            ModelFormatError: If it holds none of this task.
        """

    @abstractmethod
    def check_probe(self) -> None:
        """Ask what every model of the task must know, one thing to read and one to refuse.

        Raises:
            ModelError: If it does not, in which case it must not be served.
        """

    @abstractmethod
    def check_golden(self) -> None:
        """Ask for the golden samples of the dossier.

        Raises:
            ModelError: If it answers otherwise than when it was packaged, or they cannot be read.
        """

    def try_out(self, deadline_s: float) -> None:
        """Ask what it must know; the first call also warms it up.

        Raises:
            ModelError: If it does not know, or takes longer than the deadline.
        """
        self.check_probe()
        begun_s = time.monotonic()
        self.check_probe()
        if (took_s := time.monotonic() - begun_s) > deadline_s:
            message = f"Expected an answer within {deadline_s} s, it came after {took_s:.1f} s."
            raise ModelError(message)
        self.check_golden()

    def close(self) -> None:
        """Let go of what it holds beside memory: called where it is not served after all."""


def _read(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def _read_json(path: Path, default: Any) -> Any:
    return json.loads(content) if (content := _read(path)) else default
