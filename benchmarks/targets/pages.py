"""Asking the recogniser as the page asks it: with the bytes of a PNG file.

Shapes: N samples, H x W pixels.
"""

from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd

from bukva.core.arrays import UInt8Array
from bukva.core.evaluation.timing import timed
from bukva.core.imaging.decoding import decode_image, to_grey
from bukva.core.imaging.upscaling import draw_style, encode_page, enlarge
from bukva.tasks.glyph.preprocessing import preprocess
from bukva.tasks.glyph.recogniser import Recogniser

_PAGES_AT_ONCE = 500
_TIMED_PAGE_PX = 200
_WARM_UP_PAGES = 20


def choose_samples(table: pd.DataFrame, corpora: list[str], count: int, seed: int) -> pd.DataFrame:
    """Return test samples of some corpora, at most `count` of them, the index kept."""
    is_test = table["split"].eq("test") & table["corpus"].isin(corpora)
    samples = table[is_test]
    return samples.sample(min(count, len(samples)), random_state=seed).sort_index()


def answer_pages(
    recogniser: Recogniser, samples: pd.DataFrame, images_NHW: UInt8Array, seed: int
) -> pd.DataFrame:
    """Draw samples large, each in a style of its own, and return what is answered for the pages.

    Args:
        recogniser: What is asked.
        samples: Rows of the sample table; the index numbers the images.
        images_NHW: uint8 images of the whole table.
        seed: Of the styles.

    Returns:
        `sample_id`, `corpus`, `label`, `page_px`, `ink_px`, and the `answer` (a label, or missing
        where none was given) with its `confidence`.
    """
    styles = [draw_style(np.random.default_rng([seed, row])) for row in samples.index]
    pages = (
        encode_page(enlarge(images_NHW[row], style))
        for row, style in zip(samples.index, styles, strict=True)
    )
    answers = list(_recognise(recogniser, pages))
    return samples[["sample_id", "corpus", "label"]].assign(
        page_px=[style.page_px for style in styles],
        ink_px=[style.ink_px for style in styles],
        answer=pd.Series([label for label, _ in answers], index=samples.index, dtype="str"),
        confidence=[confidence for _, confidence in answers],
    )


def _recognise(
    recogniser: Recogniser, pages: Iterator[bytes]
) -> Iterator[tuple[str | None, float]]:
    """Yield label and confidence for each page; few pages are in memory at a time."""
    while batch := [page for _, page in zip(range(_PAGES_AT_ONCE), pages, strict=False)]:
        answers = recogniser.recognise(pd.Series(batch))
        yield from zip(answers["label"], answers["confidence"], strict=True)


def time_pages(
    recogniser: Recogniser, samples: pd.DataFrame, images_NHW: UInt8Array, seed: int
) -> pd.DataFrame:
    """Return the milliseconds that each sample takes, alone, as a grey PNG of 200 x 200 px.

    Columns: `recognise_ms`, the whole way from bytes to an answer, and `processor_ms`, what of it
    was computing; measured apart, `decode_ms`, `preprocess_ms` and `network_ms`.
    """
    page_px = (_TIMED_PAGE_PX, _TIMED_PAGE_PX)
    rng = np.random.default_rng(seed)
    pages = [
        encode_page(enlarge(images_NHW[row], draw_style(rng, page_px))) for row in samples.index
    ]
    # The first calls fill caches and load what was put off.
    for page in pages[:_WARM_UP_PAGES]:
        _time_page(recogniser, page)
    return pd.DataFrame([_time_page(recogniser, page) for page in pages])


def _time_page(recogniser: Recogniser, page: bytes) -> dict[str, float]:
    _, whole = timed(partial(recogniser.recognise, pd.Series([page])))
    pixels, decode = timed(partial(decode_image, page))
    glyph, prepare = timed(partial(preprocess, to_grey(pixels)))
    one = partial(recogniser.probabilities, glyph.image_HW[None], glyph.page_F[None])
    _, network = timed(one)
    seconds = {
        "recognise_ms": whole.wall,
        "processor_ms": whole.processor,
        "decode_ms": decode.wall,
        "preprocess_ms": prepare.wall,
        "network_ms": network.wall,
    }
    return {name: 1000 * value for name, value in seconds.items()}
