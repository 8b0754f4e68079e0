"""An answer among symbols of one kind, for whoever knows that a letter or a digit is meant.

0 and о, 3 and з, 4 and ч, 6 and ь have one form, and a page with one symbol does not tell which.
"""

from collections import defaultdict
from typing import Literal

from bukva.serving.schemas import Alternative, Recognition

Kind = Literal["letter", "digit"]


def expect(kind: Kind, recognition: Recognition) -> Recognition:
    """Return what an image shows if it is of a kind.

    Args:
        kind: What is meant.
        recognition: What was read, whatever the kind.

    Returns:
        The likeliest symbol of the kind, with probabilities among those of its kind that were
        listed; the recognition as it is where it lists none of them, or was refused.
    """
    left = [each for each in recognition.alternatives if _kind_of(each) == kind]
    total = sum(each.probability for each in left)
    if not recognition.is_symbol or not total:
        return recognition
    shares: dict[str, float] = defaultdict(float)
    for each in left:
        shares[each.symbol.lower()] += each.probability
    label, share = max(shares.items(), key=lambda item: item[1])
    found = {
        "confidence": share / total,
        "alternatives": [
            Alternative(symbol=each.symbol, probability=each.probability / total) for each in left
        ],
    }
    if label != recognition.label:
        found |= _read_anew(label, share, left)
    return Recognition(**recognition.model_dump() | found)


def _kind_of(alternative: Alternative) -> Kind:
    return "digit" if alternative.symbol.isdigit() else "letter"


def _read_anew(
    label: str, share: float, alternatives: list[Alternative]
) -> dict[str, str | float | None]:
    """Return symbol and case of a label that was not the likeliest among all."""
    best = next(each for each in alternatives if each.symbol.lower() == label)
    if label.isdigit():
        return {"label": label, "symbol": label, "case": None, "case_confidence": None}
    return {
        "label": label,
        "symbol": best.symbol,
        "case": "upper" if best.symbol.isupper() else "lower",
        "case_confidence": best.probability / share,
    }
