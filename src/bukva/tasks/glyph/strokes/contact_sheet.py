"""Contact sheets of the stroke alphabet, for people to look at."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from bukva.core.arrays import UInt8Array
from bukva.tasks.glyph.charset import SYMBOLS
from bukva.tasks.glyph.strokes.alphabet import Form, load_alphabet
from bukva.tasks.glyph.strokes.writing import SIDE_PX, Hand, draw_form, draw_hand

RULE_GREY = 215


def contact_sheet(
    hands_per_form: int = 5, forms_per_row: int = 3, seed: int = 0, symbols: str = SYMBOLS
) -> Image.Image:
    """Return a grey picture of every form: the canonical one on its ruled line, then by hands.

    Args:
        hands_per_form: Random renderings beside each canonical form.
        forms_per_row: Forms side by side.
        seed: Of the random renderings.
        symbols: Which symbols, in this order.
    """
    rng = np.random.default_rng(seed)
    forms = [form for symbol in symbols for form in load_alphabet().forms[symbol]]
    strips = [_strip(form, hands_per_form, rng) for form in forms]
    blank = np.full_like(strips[0], 255)
    strips += [blank] * (-len(strips) % forms_per_row)
    rows = [
        np.concatenate(strips[start : start + forms_per_row], axis=1)
        for start in range(0, len(strips), forms_per_row)
    ]
    return Image.fromarray(np.concatenate(rows))


def _strip(form: Form, hands: int, rng: np.random.Generator) -> UInt8Array:
    pages: Sequence[UInt8Array] = [
        _ruled(draw_form(form, Hand(), rng)),
        *(draw_form(form, draw_hand(rng), rng) for _ in range(hands)),
    ]
    return np.concatenate(pages, axis=1)


def _ruled(page: UInt8Array) -> UInt8Array:
    """Show baseline, x-height and height of capitals, and a frame, behind a canonical form."""
    frame, hand = load_alphabet().frame, Hand()
    ruled = page.copy()
    for height_em in (frame.baseline, frame.x_height, frame.cap_height):
        line_px = round(hand.baseline_px - height_em / frame.cap_height * hand.cap_height_px)
        ruled[line_px] = np.minimum(ruled[line_px], RULE_GREY)
    ruled[:, [0, SIDE_PX - 1]] = RULE_GREY
    return ruled
