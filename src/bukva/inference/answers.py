"""What two heads say, put into the words of an answer.

Shapes: N images, C classes of the label head, K of them labels, S symbols, T of them listed.
"""

from functools import cache
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import special

from bukva import charset
from bukva.data.samples import Float32Array

EITHER_BELOW: Final = 0.75
"""Below this case confidence, a letter whose cases share one form is called `either`."""

_TINY: Final = np.float32(1e-12)

READING_COLUMNS: Final = (
    "symbol", "label", "case", "confidence", "case_confidence", "is_symbol", "symbol_confidence",
    "alternatives",
)  # fmt: skip
ERROR_COLUMNS: Final = ("error", "error_detail")
ANSWER_COLUMNS: Final = (*READING_COLUMNS, "measures", "frame", *ERROR_COLUMNS)

Columns: TypeAlias = dict[str, list[Any]]
"""Values by the name of their column, one for each image."""

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


def to_answers(
    class_probabilities_NC: Float32Array,
    uppercase_N: Float32Array,
    classes: str,
    *,
    top_k: int,
    symbol_threshold: float = 0.0,
) -> Columns:
    """Put the probabilities of N images into answers.

    Args:
        class_probabilities_NC: Probability of each of `classes`.
        uppercase_N: Probability of upper case, should it be a letter.
        classes: What the outputs of the label head mean: labels, and perhaps `NO_SYMBOL`.
        top_k: How many alternatives to list.
        symbol_threshold: Probability of showing a symbol below which an image is refused.

    Returns:
        `READING_COLUMNS`, each a list of N values; `case` and `case_confidence` are None for a
        digit. An image that is refused has no symbol, label, case nor their confidences; its
        alternatives say what it would be if it were one.
    """
    label_NK, symbol_confidence_N = _split_off(class_probabilities_NC, classes)
    forms = _forms_of(classes.replace(charset.NO_SYMBOL, ""))
    large_N = uppercase_N.astype(np.float64)
    best_N = label_NK.argmax(axis=1)
    case_N, case_confidence_N = _cases(forms, best_N, large_N)
    reading = {
        "symbol": forms.symbol_K2[best_N, (large_N >= 0.5).astype(int)],
        "label": forms.label_K[best_N],
        "case": case_N,
        "confidence": _tidy(label_NK.max(axis=1)),
        "case_confidence": case_confidence_N,
    }
    is_symbol_N = symbol_confidence_N >= symbol_threshold
    return {name: _where(is_symbol_N, known).tolist() for name, known in reading.items()} | {
        "is_symbol": is_symbol_N.tolist(),
        "symbol_confidence": _tidy(symbol_confidence_N).tolist(),
        "alternatives": _alternatives(forms, label_NK, large_N, top_k),
    }


def _split_off(class_NC: Float32Array, classes: str) -> tuple[Float32Array, NDArray[np.float64]]:
    """Return probabilities `(N, K)` among labels alone, and `(N,)` that it is any of them."""
    is_label_C = [name != charset.NO_SYMBOL for name in classes]
    label_NK = np.ascontiguousarray(class_NC[:, is_label_C])
    total_N = label_NK.sum(axis=1)
    # A sum of float32 may come out above 1.
    symbol_confidence_N = np.minimum(total_N, 1.0).astype(np.float64)
    label_NK /= np.maximum(total_N, _TINY)[:, None]
    return label_NK, symbol_confidence_N


class _Forms(NamedTuple):
    """How labels are written: what follows from the labels alone, worked out once."""

    label_K: NDArray[np.object_]
    symbol_K2: NDArray[np.object_]
    is_letter_K: NDArray[np.bool_]
    is_distinct_K: NDArray[np.bool_]
    symbol_S: NDArray[np.object_]
    label_of_S: NDArray[np.intp]
    is_large_S: NDArray[np.bool_]


@cache
def _forms_of(labels: str) -> _Forms:
    """Return each label as it is written small and large, and all symbols; a digit has one form."""
    written = [
        [charset.to_symbol(label, is_large) for is_large in (False, True)] for label in labels
    ]
    symbols = [symbol for small, large in written for symbol in dict.fromkeys((large, small))]
    return _Forms(
        label_K=np.array(list(labels), dtype=object),
        symbol_K2=np.array(written, dtype=object),
        is_letter_K=np.array([charset.is_letter(label) for label in labels]),
        is_distinct_K=np.array([label in charset.DISTINCT_FORM for label in labels]),
        symbol_S=np.array(symbols, dtype=object),
        label_of_S=np.array([labels.index(symbol.lower()) for symbol in symbols]),
        is_large_S=np.array([symbol not in labels for symbol in symbols]),
    )


def _cases(
    forms: _Forms, best_N: NDArray[np.intp], uppercase_N: NDArray[np.float64]
) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """Return each image's case and how sure that is; None for a digit."""
    is_letter_N = forms.is_letter_K[best_N]
    confidence_N = _tidy(np.maximum(uppercase_N, 1.0 - uppercase_N))
    case_N = np.where(uppercase_N >= 0.5, "upper", "lower").astype(object)
    case_N[(confidence_N < EITHER_BELOW) & ~forms.is_distinct_K[best_N]] = "either"
    return _where(is_letter_N, case_N), _where(is_letter_N, confidence_N)


def _where(is_known_N: NDArray[np.bool_], values_N: NDArray[Any]) -> NDArray[np.object_]:
    """Return values as Python's own, None where they are not known."""
    objects_N = values_N.astype(object)
    objects_N[~is_known_N] = None
    return objects_N


def _alternatives(
    forms: _Forms, label_NK: Float32Array, uppercase_N: NDArray[np.float64], top_k: int
) -> list[list[dict[str, Any]]]:
    """Share each label's probability out over its cases, and list the likeliest symbols.

    All labels take part: half of a likely letter may be less than the whole of a digit after it.
    """
    case_N1 = uppercase_N[:, None]
    share_NS = label_NK[:, forms.label_of_S].astype(np.float64)
    share_of_case_NS = np.where(forms.is_large_S, case_N1, 1.0 - case_N1)
    share_NS *= np.where(forms.is_letter_K[forms.label_of_S], share_of_case_NS, 1.0)
    best_NT = np.argsort(-share_NS, axis=1, kind="stable")[:, :top_k]
    best_share_NT = _tidy(np.take_along_axis(share_NS, best_NT, axis=1))
    return [
        [
            {"symbol": symbol, "probability": share}
            for symbol, share in zip(symbols, shares, strict=True)
        ]
        for symbols, shares in zip(
            forms.symbol_S[best_NT].tolist(), best_share_NT.tolist(), strict=True
        )
    ]


def _tidy(probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
    """Take the noise of float32 off, by which a softmax may answer 1.0000001."""
    return probabilities.astype(np.float64).round(6)
