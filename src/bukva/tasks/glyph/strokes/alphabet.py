"""Reads and checks the stroke alphabet, the package's own data.

A stroke is written as points "x,y" in em units, y upwards from the baseline, the curve being
smooth but for points marked "!". A form that is a capital at x-height names it: "В.block".
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, TypeAlias

import numpy as np

from bukva.errors import CorpusError
from bukva.tasks.glyph.charset import SYMBOLS
from bukva.tasks.glyph.strokes.curves import FloatArray, trace

SPACING_EM = 2.0


@dataclass(frozen=True, slots=True)
class Frame:
    """Lines and borders of the em square, in em units."""

    left: float
    right: float
    bottom: float
    baseline: float
    x_height: float
    cap_height: float
    top: float


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """One way to write a symbol: curves `(N, 2)` in em units, in the order of writing."""

    symbol: str
    name: str
    strokes: tuple[FloatArray, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Alphabet:
    """The frame and, for each of the 76 symbols, its forms."""

    frame: Frame
    forms: Mapping[str, tuple[Form, ...]]


_Strokes: TypeAlias = tuple[FloatArray, ...]


@lru_cache(maxsize=1)
def load_alphabet() -> Alphabet:
    """Return the alphabet that comes with the package."""
    return parse_alphabet((files(__package__) / "alphabet.json").read_text(encoding="utf-8"))


def parse_alphabet(text: str) -> Alphabet:
    """Return the alphabet written in JSON, checked.

    Raises:
        CorpusError: If a symbol is missing or unknown, a stroke cannot be read, or a coordinate
            lies outside the frame; the message names symbol, form and stroke.
    """
    try:
        document = json.loads(text)
        frame, symbols = Frame(**document["frame"]), document["symbols"]
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise CorpusError(f"Expected JSON with 'frame' and 'symbols', got: {error}.") from error
    if differing := set(symbols) ^ set(SYMBOLS):
        message = f"Expected the {len(SYMBOLS)} symbols, missing or unknown: {sorted(differing)}."
        raise CorpusError(message)
    return Alphabet(frame, {symbol: _forms(symbol, symbols, frame) for symbol in SYMBOLS})


def _forms(symbol: str, symbols: Mapping[str, Any], frame: Frame) -> tuple[Form, ...]:
    if not symbols[symbol]:
        raise CorpusError(f"Expected at least one form of {symbol!r} in the alphabet, got none.")
    return tuple(
        Form(symbol, name, _resolve(f"{symbol}.{name}", symbols, frame)) for name in symbols[symbol]
    )


def _resolve(address: str, symbols: Mapping[str, Any], frame: Frame) -> _Strokes:
    """Strokes of the form at "symbol.name", which may be another form brought to x-height."""
    symbol, _, name = address.partition(".")
    written = symbols.get(symbol, {}).get(name)
    if isinstance(written, str) and isinstance(symbols.get(written[:1], {}).get(written[2:]), list):
        scale = frame.x_height / frame.cap_height
        return tuple(stroke_N2 * scale for stroke_N2 in _resolve(written, symbols, frame))
    if not isinstance(written, list) or not written:
        message = f"Expected strokes, or a form that has strokes, at {address!r}, got {written!r}."
        raise CorpusError(message)
    return tuple(
        parse_stroke(stroke, f"{address}[{index}]", frame) for index, stroke in enumerate(written)
    )


def parse_stroke(text: str, address: str, frame: Frame) -> FloatArray:
    """Return the curve `(N, 2)` of a stroke written as points.

    Args:
        text: Points "x,y", those at which the pen turns sharply marked "!".
        address: Where it is written, for errors.
        frame: In which the points must lie.

    Raises:
        CorpusError: If it cannot be read or lies outside the frame.
    """
    words = str(text).split()
    try:
        pairs = [tuple(map(float, word.rstrip("!").split(","))) for word in words]
        points_P2 = np.array(pairs, dtype=np.float64).reshape(len(words), 2)
    except ValueError as error:
        raise CorpusError(f"Expected points 'x,y' at {address}, got {text!r}.") from error
    if len(words) < 2 or not np.diff(points_P2, axis=0).any(axis=1).all():
        raise CorpusError(f"Expected two or more distinct points at {address}, got {text!r}.")
    low_2, high_2 = (frame.left, frame.bottom), (frame.right, frame.top)
    if not ((points_P2 >= low_2) & (points_P2 <= high_2)).all():
        raise CorpusError(f"Expected points in {low_2}..{high_2} at {address}, got {text!r}.")
    return trace(points_P2, np.array([word.endswith("!") for word in words]), SPACING_EM)
