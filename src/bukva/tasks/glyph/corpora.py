"""What the corpora hold that is, or is none of, the symbols of this task."""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from bukva.core.alphabets import DIGITS
from bukva.core.samples import RawSample
from bukva.tasks.glyph.charset import CLASSES, DISTINCT_FORM, NO_SYMBOL, from_symbol
from bukva.tasks.glyph.nonsymbols.drawing import STRANGE_LETTERS

logger = logging.getLogger(__name__)

EMNIST: Final = "emnist"
TWINS: Final[Mapping[str, str]] = MappingProxyType(
    dict(zip("ABCEHIKMOPTXaceiopxygmnu", "АВСЕНІКМОРТХасеіорхудтпи", strict=True))
)
"""Latin letters that many hands write as they would a Ukrainian one, in print or in cursive."""


def read_glyphs(corpus: str, read: Callable[[], Iterator[RawSample]]) -> Iterator[RawSample]:
    """Yield the samples of a corpus that this task learns from.

    Of EMNIST's Latin letters, those that look like a Ukrainian one come as that one: forms are what
    is learnt from them, by thousands of hands that no other corpus has. The case counts only where
    both forms differ. Those whose form is strange to Ukrainian come as no symbols. Its digits are
    left out, as some of them are in MNIST's test part.
    """
    left_out = 0
    for sample in read():
        if corpus == EMNIST and sample.label in DIGITS:
            left_out += 1
        elif sample.label in CLASSES:
            yield sample
        elif sample.label in STRANGE_LETTERS:
            yield replace(sample, label=NO_SYMBOL)
        elif sample.label in TWINS:
            label, is_uppercase = from_symbol(TWINS[sample.label])
            known = is_uppercase if label in DISTINCT_FORM else None
            yield replace(sample, label=label, is_uppercase=known)
        else:
            left_out += 1
    if left_out:
        logger.info("%s: %d samples left out.", corpus, left_out)
