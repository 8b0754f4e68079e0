"""What is answered for an image of one symbol: its fields, written down once, and its rules.

MLflow's signature and the table of batch predictions are made from these models by
`bukva.core.schema`, the description of the web service by pydantic.
"""

from collections import defaultdict
from functools import cache
from typing import Annotated, Any, Final, Literal, NamedTuple, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator
from scipy import special

from bukva.core.arrays import Float32Array
from bukva.tasks.glyph import charset

Probability = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Symbol = Annotated[str, Field(min_length=1, max_length=8)]
Case = Literal["upper", "lower", "either"]
Kind = Literal["letter", "digit"]
Source = Literal["drawing", "photo"]
"""Where an image comes from: a page that was drawn on, where size tells case, or a camera."""

EITHER_BELOW: Final = 0.75
"""Below this case confidence, a letter whose cases share one form is called `either`."""


def name_case(label: str, *, is_upper: bool, confidence: float) -> Case | None:
    """Return the case of a label as it is answered; None for a digit."""
    if not charset.is_letter(label):
        return None
    if confidence < EITHER_BELOW and label not in charset.DISTINCT_FORM:
        return "either"
    return "upper" if is_upper else "lower"


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Question(_Frozen):
    """What a packaged model is asked for each row of a table.

    Attributes:
        image: The bytes of an image file.
        explain: Whether to answer `EXPLANATION_COLUMNS` as well.
        source: Where it comes from, if that is known.
    """

    image: bytes
    explain: bool = False
    source: Source | None = None


class Alternative(_Frozen):
    """One symbol that the image may show."""

    symbol: Symbol = Field(description="as written", examples=["Ґ"])
    probability: Probability

    @property
    def kind(self) -> Kind:
        """Whether that is a letter or a digit."""
        return "digit" if self.symbol.isdigit() else "letter"


class Recognition(_Frozen):
    """What the model says about one image."""

    symbol: Symbol | None = Field(
        description="as written; null where the image is refused", examples=["Ґ"]
    )
    label: Symbol | None = Field(
        description="the lower-case letter or the digit; null where the image is refused",
        examples=["ґ"],
    )
    case: Case | None = Field(
        description="`either` where the two forms cannot be told apart; null for a digit",
        examples=["upper"],
    )
    confidence: Probability | None = Field(
        description="probability of the label among all labels; null where the image is refused",
        examples=[0.97],
    )
    case_confidence: Probability | None = Field(description="null for a digit", examples=[0.93])
    is_symbol: bool = Field(
        description="false where the image is refused: a dot, a scribble, two letters, a photo ...",
        examples=[True],
    )
    symbol_confidence: Probability = Field(
        description="probability that the image shows one Ukrainian letter or digit",
        examples=[0.99],
    )
    alternatives: list[Alternative] = Field(
        description="best first; of a refused image, what it would be if it showed a symbol",
        examples=[[{"symbol": "Ґ", "probability": 0.97}, {"symbol": "Г", "probability": 0.02}]],
    )

    @model_validator(mode="after")
    def _names_a_symbol_unless_refused(self) -> Self:
        named = {"symbol": self.symbol, "label": self.label, "confidence": self.confidence}
        wrong = [name for name, value in named.items() if (value is None) == self.is_symbol]
        if wrong:
            raise ValueError(f"expected null only where is_symbol is false, not so: {wrong}")
        return self

    def best(self, count: int) -> Self:
        """Return the same with at most so many alternatives."""
        if len(self.alternatives) <= count:
            return self
        return self.model_copy(update={"alternatives": self.alternatives[:count]})

    def expect(self, kind: Kind) -> Self:
        """Return what the image shows if it is of a kind, for whoever knows what is meant.

        0 and о, 3 and з, 4 and ч, 6 and ь have one form, and a page with one symbol does not tell
        which.

        Returns:
            The likeliest symbol of the kind, with probabilities among those of its kind that were
            listed; the same as before where none of them is listed, or the image was refused.
        """
        left = [each for each in self.alternatives if each.kind == kind]
        total = sum(each.probability for each in left)
        if not self.is_symbol or not total:
            return self
        shares: dict[str, float] = defaultdict(float)
        for each in left:
            shares[each.symbol.lower()] += each.probability
        label, share = max(shares.items(), key=lambda item: item[1])
        found: dict[str, Any] = {
            "confidence": share / total,
            "alternatives": [
                {"symbol": each.symbol, "probability": each.probability / total} for each in left
            ],
        }
        if label != self.label:
            best = next(each for each in left if each.symbol.lower() == label)
            sure = best.probability / share
            case = name_case(label, is_upper=best.symbol != label, confidence=sure)
            found |= {
                "label": label,
                "symbol": best.symbol,
                "case": case,
                "case_confidence": sure if case else None,
            }
        return self.__class__(**self.model_dump() | found)


class Failure(_Frozen):
    """Why an image could not be used."""

    error: str = Field(description="for programs; does not change", examples=["empty_image"])
    error_detail: str = Field(description="for people")


class Box(_Frozen):
    """A part of a page, in shares of its sides."""

    left: FiniteFloat
    top: FiniteFloat
    width: FiniteFloat
    height: FiniteFloat


class Answer(_Frozen):
    """All that is answered for one image: what it shows, or why that cannot be told.

    Attributes:
        reading: None where the image could not be used.
        measures: `bukva.tasks.glyph.recogniser.MEASURES` by their names.
        failure: None where the image could be used.
        frame: What the network saw: base64 of grey levels, row by row; shown with an explanation.
        grad_cam: Rows of cells, each saying how much it speaks for the label. None where that was
            not asked for, or the network cannot tell.
        frame_box: What of the page the frame and they lie on, as `Box` says it.
    """

    reading: Recognition | None
    measures: dict[str, float | None] | None = None
    failure: Failure | None = None
    frame: str | None = None
    grad_cam: list[list[float]] | None = None
    frame_box: dict[str, float] | None = None


READING_COLUMNS: Final = tuple(Recognition.model_fields)
ERROR_COLUMNS: Final = tuple(Failure.model_fields)
MAP_COLUMNS: Final = ("grad_cam", "frame_box")
EXPLANATION_COLUMNS: Final = ("frame", *MAP_COLUMNS)
ANSWER_COLUMNS: Final = (*READING_COLUMNS, "measures", *ERROR_COLUMNS)
"""Of the table that a packaged model answers; `EXPLANATION_COLUMNS` where it is to explain, too."""


_TINY: Final = np.float32(1e-12)

Columns: TypeAlias = dict[str, list[Any]]
"""Values by the name of their column, one for each image."""


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
        The columns of a `Recognition`, each a list of N values; those of the case are None for a
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
        symbol_S=np.array(symbols, dtype=object),
        label_of_S=np.array([labels.index(symbol.lower()) for symbol in symbols]),
        is_large_S=np.array([symbol not in labels for symbol in symbols]),
    )


def _cases(
    forms: _Forms, best_N: NDArray[np.intp], uppercase_N: NDArray[np.float64]
) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """Return each image's case and how sure that is; None for a digit."""
    confidence_N = _tidy(np.maximum(uppercase_N, 1.0 - uppercase_N))
    said = zip(
        forms.label_K[best_N], (uppercase_N >= 0.5).tolist(), confidence_N.tolist(), strict=True
    )
    cases = [
        name_case(label, is_upper=is_upper, confidence=confidence)
        for label, is_upper, confidence in said
    ]
    return np.array(cases, dtype=object), _where(forms.is_letter_K[best_N], confidence_N)


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
