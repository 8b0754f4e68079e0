"""What two heads say, put into the words of an answer.

Shapes: N images, C classes of the label head, K of them labels.
"""

import base64
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from scipy import special

from bukva import charset
from bukva.data.samples import Float32Array

EITHER_BELOW: Final = 0.75
"""Below this case confidence, a letter whose cases share one form is called `either`."""

_TINY: Final = np.float32(1e-12)

ANSWER_COLUMNS: Final = (
    "symbol", "label", "case", "confidence", "case_confidence", "is_symbol", "symbol_confidence",
    "alternatives", "measures", "frame", "error", "error_detail",
)  # fmt: skip


MAP_COLUMNS: Final = ("grad_cam", "frame_box")
"""What is answered beside them where it is asked for: `bukva.inference.recogniser`."""


def softmax(logits_NK: Float32Array) -> Float32Array:
    """Return probabilities `(N, K)` that sum to 1 in each row."""
    probabilities_NK: Float32Array = special.softmax(logits_NK, axis=1)
    return probabilities_NK


def sigmoid(logits_N: Float32Array) -> Float32Array:
    """Return probabilities `(N,)`."""
    probabilities_N: Float32Array = special.expit(logits_N)
    return probabilities_N


def to_answer(
    class_probabilities_C: Float32Array,
    uppercase_probability: float,
    classes: str,
    *,
    top_k: int,
    symbol_threshold: float = 0.0,
    measures: Mapping[str, float | None] | None = None,
    frame: bytes = b"",
) -> dict[str, Any]:
    """Put one image's probabilities into an answer.

    Args:
        class_probabilities_C: Probability of each of `classes`.
        uppercase_probability: Probability of upper case, should it be a letter.
        classes: What the outputs of the label head mean: labels, and perhaps `NO_SYMBOL`.
        top_k: How many alternatives to list.
        symbol_threshold: Probability of showing a symbol below which the image is refused.
        measures: Of its ink and its place on the page, by name.
        frame: What the network saw: the grey levels of a square, row by row. In the answer it is
            base64, so that the answer can be written as JSON.

    Returns:
        `ANSWER_COLUMNS`; `case` and `case_confidence` are None for a digit. An image that is
        refused has no symbol, label, case nor their confidences; its alternatives say what it
        would be if it were one.
    """
    label_K, labels, symbol_confidence = _split_off(class_probabilities_C, classes)
    best = int(label_K.argmax())
    label = labels[best]
    case, case_confidence = _case_of(label, uppercase_probability)
    reading = {
        "symbol": charset.to_symbol(label, uppercase_probability >= 0.5),
        "label": label,
        "case": case,
        "confidence": _tidy(label_K[best]),
        "case_confidence": case_confidence,
    }
    is_symbol = symbol_confidence >= symbol_threshold
    return {
        **(reading if is_symbol else dict.fromkeys(reading)),
        "is_symbol": is_symbol,
        "symbol_confidence": _tidy(symbol_confidence),
        "alternatives": _alternatives(label_K, uppercase_probability, labels, top_k),
        "measures": dict(measures or {}),
        "frame": base64.b64encode(frame).decode("ascii"),
        "error": None,
        "error_detail": None,
    }


def to_refusal(code: str, detail: str) -> dict[str, Any]:
    """Return the answer for an image that could not be used."""
    empty: dict[str, Any] = dict.fromkeys(ANSWER_COLUMNS)
    return empty | {"error": code, "error_detail": detail}


def _split_off(class_C: Float32Array, classes: str) -> tuple[Float32Array, str, float]:
    """Return probabilities `(K,)` among labels alone, the labels, and that it is any of them."""
    is_label_C = [name != charset.NO_SYMBOL for name in classes]
    label_K = class_C[is_label_C]
    total = label_K.sum()
    # A sum of float32 may come out above 1.
    symbol_confidence = float(min(total, 1.0))
    return label_K / max(total, _TINY), classes.replace(charset.NO_SYMBOL, ""), symbol_confidence


def _case_of(label: str, uppercase_probability: float) -> tuple[str | None, float | None]:
    if not charset.is_letter(label):
        return None, None
    confidence = _tidy(max(uppercase_probability, 1.0 - uppercase_probability))
    if confidence < EITHER_BELOW and label not in charset.DISTINCT_FORM:
        return "either", confidence
    return ("upper" if uppercase_probability >= 0.5 else "lower"), confidence


def _alternatives(
    label_probabilities_K: Float32Array, uppercase_probability: float, labels: str, top_k: int
) -> list[dict[str, Any]]:
    """Share each label's probability out over its cases, and list the likeliest symbols.

    All labels take part: half of a likely letter may be less than the whole of a digit after it.
    """
    shares: dict[str, float] = {}
    for label, probability in zip(labels, label_probabilities_K.tolist(), strict=True):
        if charset.is_letter(label):
            shares[label.upper()] = probability * uppercase_probability
            shares[label] = probability * (1.0 - uppercase_probability)
        else:
            shares[label] = probability
    best = sorted(shares.items(), key=lambda item: -item[1])[:top_k]
    return [{"symbol": symbol, "probability": _tidy(share)} for symbol, share in best]


def _tidy(probability: float) -> float:
    """Take the noise of float32 off, by which a softmax may answer 1.0000001."""
    return round(float(probability), 6)
