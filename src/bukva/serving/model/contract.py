"""What the packaged model promises: a row for each image, and an `error` in place of an exception.

The model takes a table with one column `image` (encoded bytes) and answers with the columns of
`Recognition`, `error` (None or one of IMAGE_PROBLEMS) and `error_detail` (None or a sentence).

It may take a second column, `explain` (booleans), and answer where that is true with `grad_cam`
(rows of cells, each saying how much it speaks for the label) and `frame_box` (what of the page they
lie on, as `Box` says it); both None where its network has no such map.
"""

from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from pydantic import ValidationError

from bukva.errors import ModelError, RequestError
from bukva.serving.problems import IMAGE_PROBLEMS, KINDS
from bukva.serving.schemas import Box, Recognition

EXPLAIN: Final = "explain"
# A PNG of 64x64 pixels, one bit each, with the strokes of a 1; and bytes that are no image.
_ONE_PNG = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAEAAAABAAQAAAACCEkxzAAAATklEQVR42mP8zwABTAwkMv7DGL9gjBcCUMYCBgYGBob"
    "///8x8P///58JqoSBiYHhBYY5AjwwEQOorh9/oLqYYWpYyHPhKIMIBuN/irQDABvDFUWA/uBcAAAAAElFTkSuQmCC"
)
Predict = Callable[[Sequence[bytes]], Sequence[Mapping[str, Any]]]
_GOLDEN_AT_ONCE = 32
PROBE_IMAGES = (_ONE_PNG, b"not an image")


def read_row(row: Mapping[str, Any], top_k: int) -> Recognition:
    """The recognition in one row of the model's answer, with at most `top_k` alternatives.

    Raises:
        RequestError: If the model refused the image; carries the model's code.
        ModelError: If the row breaks the promise.
    """
    code = row.get("error")
    if code in IMAGE_PROBLEMS:
        detail = str(row.get("error_detail") or KINDS[code].title)
        raise RequestError(code, detail[:300])
    if code is not None:
        raise ModelError(f"Expected `error` to be one of {IMAGE_PROBLEMS}, got {code!r}.")
    try:
        recognition = Recognition(**_fields_of(row))
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()
        )
        raise ModelError(f"Expected a row as a packaged model gives, got {faults}.") from error
    if len(recognition.alternatives) <= top_k:
        return recognition
    return recognition.model_copy(update={"alternatives": recognition.alternatives[:top_k]})


def _fields_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a recognition; a model packaged before images could be refused refuses none."""
    fields = {name: row.get(name) for name in Recognition.model_fields}
    return fields if "is_symbol" in row else {**fields, "is_symbol": True, "symbol_confidence": 1.0}


def read_map(row: Mapping[str, Any]) -> tuple[Box, list[list[float]]] | None:
    """Where the network found the label: the box of the map, and its cells from 0 to 1.

    Returns:
        Cells as shares of the most telling one, all 0 where nothing speaks for the label; None if
        the row has no map.

    Raises:
        ModelError: If the row breaks the promise.
    """
    if row.get("grad_cam") is None:
        return None
    try:
        cells, box = np.array(row["grad_cam"], dtype=float), Box(**row["frame_box"])
    except (TypeError, ValueError) as error:
        raise ModelError("Expected `grad_cam` and `frame_box`, got something else.") from error
    if not (cells.ndim == 2 and cells.size and cells.min() >= 0 and np.isfinite(cells).all()):
        raise ModelError("Expected rows of cells of at least 0 in `grad_cam`, got others.")
    shares: list[list[float]] = (cells / (cells.max() or 1.0)).tolist()
    return box, shares


def check_golden(predict: Predict, golden: Sequence[Mapping[str, Any]]) -> None:
    """Checks that a model answers golden samples as it did when it was packaged.

    Args:
        predict: Gives a row for each image.
        golden: As `bukva.dossier.GOLDEN` describes them; none, and nothing is checked.

    Raises:
        ModelError: If any symbol, or any confidence by more than a thousandth, is another.
    """
    for start in range(0, len(golden), _GOLDEN_AT_ONCE):
        batch = golden[start : start + _GOLDEN_AT_ONCE]
        rows = predict([b64decode(sample["image"]) for sample in batch])
        for row, sample in zip(rows, batch, strict=True):
            # Processors differ in the last digits.
            change = abs((row["confidence"] or 0.0) - (sample["confidence"] or 0.0))
            if row["symbol"] != sample["symbol"] or not change <= 1e-3:
                raise ModelError(
                    f"Expected {sample['symbol']!r} for a golden sample with the confidence "
                    f"{sample['confidence']}, got {row['symbol']!r} with {row['confidence']}."
                )


def check_probe(rows: Sequence[Mapping[str, Any]]) -> None:
    """Checks the answer to PROBE_IMAGES: the first recognised, the second refused.

    Raises:
        ModelError: If it is not so, in which case the model must not be served.
    """
    try:
        read_row(rows[0], top_k=1)
    except RequestError as error:
        raise ModelError(f"Expected the model to read the probe, got {error.code}.") from error
    if rows[1].get("error") not in IMAGE_PROBLEMS:
        raise ModelError(f"Expected the model to refuse text as an image, got {rows[1]}.")
