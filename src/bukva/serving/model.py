"""One version of a model in memory: what it must know, what it is, and how its use drifts.

The population stability index compares how two samples spread over the same bins: below 0.1 they
are alike, above 0.25 they are not (Siddiqi, Credit Risk Scorecards, 2006, section 6).
"""

import json
import math
import time
from abc import ABC, abstractmethod
from base64 import b64decode
from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Generic, Self, TypeVar

import numpy as np
from pydantic import ValidationError

from bukva.errors import ModelError, ModelFormatError
from bukva.registry import package_files as dossier
from bukva.serving.problems import IMAGE_PROBLEMS
from bukva.serving.schemas import Method, ServedModel
from bukva.tasks.glyph.answer import Answer, Box, Source
from bukva.tasks.glyph.recogniser import Recogniser, check_golden, read_golden

# A PNG of 64x64 pixels, one bit each, with the strokes of a 1; and bytes that are no image.
_ONE_PNG = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAEAAAABAAQAAAACCEkxzAAAATklEQVR42mP8zwABTAwkMv7DGL9gjBcCUMYCBgYGBob"
    "///8x8P///58JqoSBiYHhBYY5AjwwEQOorh9/oLqYYWpYyHPhKIMIBuN/irQDABvDFUWA/uBcAAAAAElFTkSuQmCC"
)
Predict = Callable[[Sequence[bytes]], Sequence[Answer]]
PROBE_IMAGES: Final = (_ONE_PNG, b"not an image")


def check_probe(predict: Predict) -> None:
    """Ask for PROBE_IMAGES: the first must be recognised, the second refused.

    Raises:
        ModelError: If it is not so, in which case the model must not be served.
    """
    try:
        page, text = predict(PROBE_IMAGES)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()
        )
        raise ModelError(f"Expected an answer as a recogniser gives, got {faults}.") from error
    if page.failure:
        raise ModelError(f"Expected the model to read the probe, got {page.failure.error}.")
    if not text.failure or text.failure.error not in IMAGE_PROBLEMS:
        raise ModelError(f"Expected the model to refuse text as an image, got {text}.")


def read_map(answer: Answer) -> tuple[Box, list[list[float]]] | None:
    """Return where the network found the label: the box of the map, and its cells from 0 to 1.

    Returns:
        Cells as shares of the most telling one, all 0 where nothing speaks for the label; None if
        there is no map.

    Raises:
        ModelError: If a cell is negative or no number.
    """
    if answer.grad_cam is None or answer.frame_box is None:
        return None
    cells = np.array(answer.grad_cam, dtype=float)
    if not (cells.ndim == 2 and cells.size and cells.min() >= 0 and np.isfinite(cells).all()):
        raise ModelError("Expected rows of cells of at least 0 in `grad_cam`, got others.")
    shares: list[list[float]] = (cells / (cells.max() or 1.0)).tolist()
    return Box(**answer.frame_box), shares


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

    @staticmethod
    @abstractmethod
    def open(onnx_model: bytes, deadline_s: float) -> Any:
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


class GlyphModel(LoadedModel[Recogniser]):
    """A model that reads letters and digits."""

    @staticmethod
    def open(onnx_model: bytes, _deadline_s: float) -> Recogniser:
        """Return the recogniser in an ONNX file."""
        return Recogniser(onnx_model)

    def check_probe(self) -> None:
        """Ask for a drawn 1, and for a text."""
        check_probe(self.predict)

    def check_golden(self) -> None:
        """Ask for the golden samples of the dossier."""
        try:
            golden = read_golden(self.dossier.golden)
        except ModelFormatError as error:
            message = "Expected golden samples that can be read in the dossier."
            raise ModelError(message) from error
        check_golden(self.recogniser, golden)

    def try_out(self, deadline_s: float) -> None:
        """Ask what it must know, and last the first question for a map: nobody need wait for it."""
        super().try_out(deadline_s)
        if self.mapped:
            read_map(self.mapped.predict(PROBE_IMAGES)[0])

    def predict(self, images: Sequence[bytes], /) -> list[Answer]:
        """Return an answer for each encoded image, in their order."""
        return self.recogniser.read(images)

    def asked_of(self, source: Source | None) -> "AskedModel":
        """The same model, asked of images of one source."""
        return AskedModel(self.recogniser, source)

    @cached_property
    def mapped(self) -> "AskedModel | None":
        """The same model, asked for a map too; None if its network has none to give."""
        return AskedModel(self.recogniser, with_map=True) if self.recogniser.has_map else None

    @property
    def methods(self) -> list[Method]:
        """How it can be asked why."""
        return ["occlusion", "gradcam"] if self.mapped else ["occlusion"]


@dataclass(frozen=True)
class AskedModel:
    """A model, and how it is asked; two that are equal may be asked together.

    Attributes:
        recogniser: What answers.
        source: Where the images come from, if that is known.
        with_map: Whether to answer where the network found the label, too.
    """

    recogniser: Recogniser
    source: Source | None = None
    with_map: bool = False

    def predict(self, images: Sequence[bytes], /) -> list[Answer]:
        """Return an answer for each encoded image, in their order."""
        return self.recogniser.read(images, [self.source] * len(images), with_map=self.with_map)


def _read(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def _read_json(path: Path, default: Any) -> Any:
    return json.loads(content) if (content := _read(path)) else default
