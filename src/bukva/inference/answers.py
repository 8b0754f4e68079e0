"""What two heads say, put into the words of an answer.

Shapes: N images, K labels.
"""

from typing import Any, Final

from scipy import special

from bukva import charset
from bukva.data.samples import Float32Array

EITHER_BELOW: Final = 0.75
"""Below this case confidence, a letter whose cases share one form is called `either`."""

ANSWER_COLUMNS: Final = (
    "symbol", "label", "case", "confidence", "case_confidence", "alternatives", "error",
    "error_detail",
)  # fmt: skip


def softmax(logits_NK: Float32Array) -> Float32Array:
    """Return probabilities `(N, K)` that sum to 1 in each row."""
    probabilities_NK: Float32Array = special.softmax(logits_NK, axis=1)
    return probabilities_NK


def sigmoid(logits_N: Float32Array) -> Float32Array:
    """Return probabilities `(N,)`."""
    probabilities_N: Float32Array = special.expit(logits_N)
    return probabilities_N


def to_answer(
    label_probabilities_K: Float32Array, uppercase_probability: float, labels: str, top_k: int
) -> dict[str, Any]:
    """Put one image's probabilities into an answer.

    Args:
        label_probabilities_K: Probability of each of `labels`.
        uppercase_probability: Probability of upper case, should it be a letter.
        labels: What the outputs of the label head mean.
        top_k: How many alternatives to list.

    Returns:
        `ANSWER_COLUMNS`; `case` and `case_confidence` are None for a digit.
    """
    best = int(label_probabilities_K.argmax())
    label = labels[best]
    case, case_confidence = _case_of(label, uppercase_probability)
    return {
        "symbol": charset.to_symbol(label, uppercase_probability >= 0.5),
        "label": label,
        "case": case,
        "confidence": float(label_probabilities_K[best]),
        "case_confidence": case_confidence,
        "alternatives": _alternatives(label_probabilities_K, uppercase_probability, labels, top_k),
        "error": None,
        "error_detail": None,
    }


def to_refusal(code: str, detail: str) -> dict[str, Any]:
    """Return the answer for an image that could not be used."""
    empty: dict[str, Any] = dict.fromkeys(ANSWER_COLUMNS)
    return empty | {"error": code, "error_detail": detail}


def _case_of(label: str, uppercase_probability: float) -> tuple[str | None, float | None]:
    if not charset.is_letter(label):
        return None, None
    confidence = float(max(uppercase_probability, 1.0 - uppercase_probability))
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
    return [{"symbol": symbol, "probability": share} for symbol, share in best]
