"""Which character comes after which: counts of runs of characters, as a file of its own.

Witten-Bell's interpolation (1991): a run of characters that was often followed by few others is
believed, one that was followed by many or came seldom leaves more to the run that is one shorter.

Shapes: P positions in a text, C contexts, K characters with CTC's blank, which is never foretold.
"""

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from bukva.core.arrays import Float32Array
from bukva.errors import CharsetError, ModelFormatError
from bukva.tasks.line.charset import Charset

Keys = NDArray[np.uint64]
"""Contexts: the indices of their characters, 8 bits each, the last one lowest."""

_BITS: Final = np.uint64(8)
_LARGEST_CHARSET: Final = 255
_MOST_KEPT: Final = 20_000
_RISING: Final = ("keys_C", "starts_C")
"""Kept as differences, which need a third of the room."""


class _Counts(NamedTuple):
    """What came behind contexts of one length.

    Attributes:
        keys_C: In rising order.
        starts_C: Where in the last two those of each context begin; one more at the end.
        totals_C: How often each context came, and how many kinds followed, added up: also of those
            that are left out, so that what they were worth goes to the shorter context.
        followers: Indices of characters.
        counts: How often each came.
    """

    keys_C: Keys
    starts_C: NDArray[np.int64]
    totals_C: NDArray[np.int64]
    followers: NDArray[np.uint8]
    counts: NDArray[np.uint32]


class LanguageModel:
    """How likely each character is behind others. Immutable but for what it remembers of answers.

    Attributes:
        spec: `characters`, `order`, `corpora` that were counted, and how much of them.
    """

    spec: dict[str, Any]

    def __init__(self, spec: dict[str, Any], levels: Sequence[_Counts]) -> None:
        self.spec = spec
        self._levels = tuple(levels)
        self._rows: dict[int, Float32Array] = {}

    @classmethod
    def count(
        cls, texts: Iterable[str], charset: Charset, *, order: int, least_count: int,
        corpora: Sequence[str],
    ) -> Self:  # fmt: skip
        """Count the runs of characters of some texts.

        Args:
            texts: Lines or sentences within the charset; each begins anew.
            charset: What is foretold.
            order: Characters of the longest run.
            least_count: Runs of more than two characters that came less often are left out.
            corpora: Where the texts are from, to be written down.

        Raises:
            CharsetError: If the charset is too large, or a text holds other characters.
        """
        if len(charset) > _LARGEST_CHARSET:
            message = f"Expected at most {_LARGEST_CHARSET} outputs for a language model"
            raise CharsetError(f"{message}, got {len(charset)}.")
        encoded_P = _encode(texts, charset, order - 1)
        levels = [
            _count_level(encoded_P, length, least_count if length > 1 else 1)
            for length in range(order)
        ]
        characters = int((encoded_P > 0).sum())
        spec = {
            "characters": charset.characters,
            "order": order,
            "corpora": list(corpora),
            "counted_characters": characters,
        }
        return cls(spec, levels)

    def extend(self, charset: Charset) -> "LanguageModel":
        """Return the same counts for a charset that goes on behind this one's.

        A new character is as unlikely as one that never came.

        Raises:
            CharsetError: If it begins otherwise, or is too large.
        """
        former = self.spec["characters"]
        is_longer = charset.characters.startswith(former)
        if not is_longer or len(charset) > _LARGEST_CHARSET:
            message = f"Expected at most {_LARGEST_CHARSET} outputs that begin with {former!r}"
            raise CharsetError(f"{message}, got {len(charset)}: {charset.characters!r}.")
        return LanguageModel({**self.spec, "characters": charset.characters}, self._levels)

    @property
    def order(self) -> int:
        """Characters of the longest run."""
        return len(self._levels)

    def push(self, keys: Keys, followers: NDArray[np.int64]) -> Keys:
        """Return the contexts that arise when a character comes behind each of some."""
        mask = np.uint64((1 << 8 * (self.order - 1)) - 1)
        pushed: Keys = ((keys << _BITS) | followers.astype(np.uint64)) & mask
        return pushed

    def row(self, key: int) -> Float32Array:
        """Return the natural logarithm of how likely each output is in a context, `(K,)`."""
        row_K = self._rows.get(key)
        if row_K is None:
            if len(self._rows) >= _MOST_KEPT:
                self._rows.clear()
            row_K = self._rows[key] = self._foretell(key)
        return row_K

    def log_likelihood(self, indices: Sequence[int]) -> float:
        """Return the natural logarithm of how likely a text is."""
        key, total = np.zeros(1, dtype=np.uint64), 0.0
        for index in indices:
            total += float(self.row(int(key[0]))[index])
            key = self.push(key, np.array([index]))
        return total

    def _foretell(self, key: int) -> Float32Array:
        outputs = len(self.spec["characters"]) + 1
        chances_K = np.full(outputs, 1 / (outputs - 1))
        for length, level in enumerate(self._levels):
            context = key & ((1 << 8 * length) - 1)
            place = int(np.searchsorted(level.keys_C, np.uint64(context)))
            if place == len(level.keys_C) or int(level.keys_C[place]) != context:
                break  # what is longer was not seen either
            some = slice(int(level.starts_C[place]), int(level.starts_C[place + 1]))
            shares = level.counts[some] / level.totals_C[place]
            chances_K *= 1 - shares.sum()
            chances_K[level.followers[some]] += shares
        chances_K[0] = 1e-30
        return np.asarray(np.log(chances_K), dtype=np.float32)

    def to_bytes(self) -> bytes:
        """Return it as a file: a NumPy archive without pickle, the specification in it as JSON."""
        described = json.dumps(self.spec, ensure_ascii=False).encode()
        arrays = {
            f"{name}_{length}": _differences(values) if name in _RISING else values
            for length, level in enumerate(self._levels)
            for name, values in level._asdict().items()
        }
        buffer = io.BytesIO()
        spec = np.frombuffer(described, dtype=np.uint8)
        np.savez_compressed(buffer, spec=spec, **arrays)  # type: ignore[arg-type]
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Read what `to_bytes` wrote.

        Raises:
            ModelFormatError: If it is something else.
        """
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as archive:
                spec = json.loads(archive["spec"].tobytes())
                levels = [_read_level(archive, length) for length in range(spec["order"])]
        except Exception as error:  # zipfile, NumPy and JSON raise many kinds for broken files
            message = "Expected a language model of bukva, got another file or a broken one."
            raise ModelFormatError(f"{message} Run `kedro run --pipeline=line` again.") from error
        return cls(spec, levels)


def _encode(texts: Iterable[str], charset: Charset, gap: int) -> NDArray[np.uint8]:
    """Return all texts one after the other, zeros before each."""
    before = [0] * gap
    rows = [np.array(before + charset.encode(text), dtype=np.uint8) for text in texts]
    return np.concatenate([np.zeros(0, dtype=np.uint8), *rows])


def _count_level(encoded_P: NDArray[np.uint8], length: int, least_count: int) -> _Counts:
    places_P = np.flatnonzero(encoded_P)
    runs_P = np.zeros(len(places_P), dtype=np.uint64)
    for back in range(length, -1, -1):
        runs_P = (runs_P << _BITS) | encoded_P[places_P - back].astype(np.uint64)
    runs, counts = np.unique(runs_P, return_counts=True)
    contexts, starts, kinds = np.unique(runs >> _BITS, return_index=True, return_counts=True)
    came = np.add.reduceat(counts, starts) if len(starts) else counts
    is_kept = counts >= least_count
    keys_C, starts_C = np.unique(runs[is_kept] >> _BITS, return_index=True)
    return _Counts(
        keys_C,
        np.append(starts_C, is_kept.sum()).astype(np.int64),
        (came + kinds)[np.searchsorted(contexts, keys_C)].astype(np.int64),
        (runs[is_kept] & np.uint64(255)).astype(np.uint8),
        counts[is_kept].astype(np.uint32),
    )


def _read_level(archive: Mapping[str, NDArray[Any]], length: int) -> _Counts:
    fields = {name: archive[f"{name}_{length}"] for name in _Counts._fields}
    return _Counts(**fields | {name: fields[name].cumsum() for name in _RISING})


def _differences(values: NDArray[Any]) -> NDArray[Any]:
    return np.diff(values, prepend=values.dtype.type(0))
