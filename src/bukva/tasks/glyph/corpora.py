"""What the corpora hold that is, or is none of, the symbols of this task."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace

from bukva.core.samples import RawSample
from bukva.tasks.glyph.charset import CLASSES, NO_SYMBOL
from bukva.tasks.glyph.nonsymbols.drawing import STRANGE_LETTERS

logger = logging.getLogger(__name__)


def read_glyphs(corpus: str, read: Callable[[], Iterator[RawSample]]) -> Iterator[RawSample]:
    """Yield the samples of a corpus that this task learns from.

    Of Latin letters, as EMNIST has them, those whose form is strange to Ukrainian come, as no
    symbols; the others are left out, as who wrote `B` did not write `В`.
    """
    left_out = 0
    for sample in read():
        if sample.label in CLASSES:
            yield sample
        elif sample.label in STRANGE_LETTERS:
            yield replace(sample, label=NO_SYMBOL)
        else:
            left_out += 1
    if left_out:
        logger.info("%s: %d Latin letters left out.", corpus, left_out)
