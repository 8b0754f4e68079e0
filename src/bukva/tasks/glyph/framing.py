"""From image files to framed symbols: each is decoded, and preprocessed by where it comes from."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Final, TypeAlias, get_args

import numpy as np

from bukva.core.arrays import UInt8Array
from bukva.core.imaging.decoding import decode_image
from bukva.errors import ImageError, TableError
from bukva.tasks.glyph.answer import Source
from bukva.tasks.glyph.preprocessing import Glyph, Preprocessing, preprocess_all

HAS_PAGE: Final[Mapping[Source | None, bool | None]] = {"drawing": True, "photo": False, None: None}
"""Whether size and place on an image mean something, by its source; None: the image decides."""

_VALUES_AT_ONCE: Final = 16_000_000
"""Of pixels that wait to be framed: a batch may hold more than memory does."""

_Decoded: TypeAlias = tuple[UInt8Array | ImageError, Source | None]


def frame_images(
    images: Iterable[object], sources: Iterable[Source | None] | None, constants: Preprocessing
) -> list[Glyph | ImageError]:
    """Decode and frame images; in the place of a bad one stands what is wrong with it.

    Args:
        images: The bytes of image files, in any form that `to_bytes` of
            `bukva.core.imaging.opening` knows; or pixels, as `decode_image` returns them; or why
            there are none.
        sources: Where each comes from; None where that is known of none.
        constants: Of the preprocessing.
    """
    decoded = zip(map(_decode, images), repeat(None) if sources is None else sources, strict=False)
    return [
        glyph for portion in _take_portions(decoded) for glyph in _frame_portion(portion, constants)
    ]


def to_source(value: object) -> Source | None:
    """Return a source as a table holds it: one that is missing there may be None or NaN.

    Raises:
        TableError: If it is none of those that are known.
    """
    if not isinstance(value, str):
        return None
    for source in get_args(Source):
        if value == source:
            return source  # type: ignore[no-any-return]  # typing does not say of what they are
    message = f"Expected one of {', '.join(get_args(Source))}, or nothing, in the column source"
    raise TableError(f"{message}, got {value[:20]!r}.")


def _decode(image: object) -> UInt8Array | ImageError:
    if isinstance(image, ImageError):
        return image
    # An array of one dimension is a file's bytes.
    if isinstance(image, np.ndarray) and image.ndim > 1 and image.dtype == np.uint8:
        return image
    try:
        return decode_image(image)
    except ImageError as error:
        return error


def _take_portions(decoded: Iterable[_Decoded]) -> Iterator[list[_Decoded]]:
    """Yield images in portions of about `_VALUES_AT_ONCE`."""
    portion: list[_Decoded] = []
    count = 0
    for pixels, source in decoded:
        portion.append((pixels, source))
        count += 0 if isinstance(pixels, ImageError) else pixels.size
        if count >= _VALUES_AT_ONCE:
            yield portion
            portion, count = [], 0
    yield portion


def _frame_portion(
    portion: Sequence[_Decoded], constants: Preprocessing
) -> list[Glyph | ImageError]:
    """Frame images, those of one source together."""
    found: dict[int, Glyph | ImageError] = {}
    usable: dict[bool | None, dict[int, UInt8Array]] = defaultdict(dict)
    for place, (pixels, source) in enumerate(portion):
        if isinstance(pixels, ImageError):
            found[place] = pixels
        else:
            usable[HAS_PAGE[source]][place] = pixels
    for has_page, images in usable.items():
        found |= zip(
            images,
            preprocess_all(list(images.values()), has_page=has_page, constants=constants),
            strict=True,
        )
    return [found[place] for place in range(len(portion))]
