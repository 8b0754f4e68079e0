"""From lines of corpora to a table and what the network takes of each.

Shapes: N samples, H x W pixels.
"""

import logging
import unicodedata
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Final

import numpy as np
import pandas as pd
from tqdm import tqdm

from bukva.core.arrays import UInt8Array
from bukva.core.imaging.decoding import decode_image, to_grey
from bukva.core.samples import LazyCorpora, RawSample
from bukva.core.splits import assign_splits
from bukva.errors import CorpusCorruptError, ImageError
from bukva.tasks.document.answer import LABELS
from bukva.tasks.document.drawn_lines import DRAWN, draw_lines
from bukva.tasks.document.framing import Frame, frame_piece
from bukva.tasks.document.parameters import DataParameters
from bukva.tasks.document.recogniser import read_ink

_logger = logging.getLogger(__name__)

_MOST_UNUSABLE: Final = 0.05
_COLUMNS: Final = ("sample_id", "corpus", "label", "group", "page", "text", "own_split")


def collect(corpora: LazyCorpora, parameters: DataParameters) -> tuple[pd.DataFrame, UInt8Array]:
    """Return the sample table and the ink of each line `(N, H, W)`, dealt out to three splits.

    A document or hand never crosses a split. A line without ink is left out, and counted.

    Raises:
        CorpusCorruptError: If more than 5 % of a corpus cannot be used.
    """
    frame = Frame(parameters.height, parameters.width)
    rows, images = [], []
    for corpus, sample in read_lines(corpora, parameters):
        image_HW = _frame_or_none(sample, frame)
        if image_HW is not None:
            told = (sample.label, sample.group, sample.page, sample.text, sample.split)
            rows.append((f"{corpus}/{sample.name}", corpus, *told))
        images.append(image_HW)
    table = pd.DataFrame(rows, columns=list(_COLUMNS))
    _check_unusable(corpora, table, len(images))
    table["split"] = split_lines(table, parameters)
    usable = [image for image in images if image is not None]
    return table.drop(columns="own_split").assign(is_uppercase=None), np.stack(usable)


def read_lines(corpora: LazyCorpora, parameters: DataParameters) -> Iterator[tuple[str, RawSample]]:
    """Yield corpus and line of what is wanted of the corpora, and the drawn lines."""
    drawn: LazyCorpora = {DRAWN: partial(draw_lines, parameters.drawn_lines, parameters.seed)}
    for corpus, read in (corpora | drawn).items():
        samples = choose_lines(corpus, list(read()), parameters)
        for sample in tqdm(samples, desc=f"reading {corpus}", unit="line", mininterval=0.5):
            yield corpus, sample


def choose_lines(
    corpus: str, samples: list[RawSample], parameters: DataParameters
) -> list[RawSample]:
    """Return the lines of a share of the groups, and of these at most so many as are asked for."""
    rng = np.random.default_rng([parameters.seed, *corpus.encode()])
    groups = sorted({_group_of(sample) for sample in samples})
    if parameters.subset_fraction < 1 and corpus != DRAWN:
        count = max(3, round(parameters.subset_fraction * len(groups)))
        groups = rng.permutation(groups)[:count].tolist()
        samples = [sample for sample in samples if _group_of(sample) in set(groups)]
    most = parameters.most_lines.get(corpus, len(samples))
    if len(samples) <= most:
        return samples
    # By turns from each group: the longest documents give way first.
    drawn = pd.Series(rng.random(len(samples)))
    turn = drawn.groupby([_group_of(sample) for sample in samples]).rank()
    kept = np.sort(np.lexsort((drawn, turn))[:most])
    return [samples[place] for place in kept]


def _group_of(sample: RawSample) -> str:
    return sample.group or sample.name


def to_pixels(sample: RawSample) -> UInt8Array:
    """Return a line as a grey picture.

    Raises:
        ImageDecodeError: If it is broken.
    """
    image = sample.image
    return to_grey(decode_image(image)) if isinstance(image, bytes) else image


def _frame_or_none(sample: RawSample, frame: Frame) -> UInt8Array | None:
    try:
        ink_HW, _ = read_ink(to_pixels(sample))
    except ImageError as error:
        _logger.debug("%s is left out: %s", sample.name, error)
        return None
    framed_HW = frame_piece(_cut_longest(ink_HW, frame), frame)
    return framed_HW if framed_HW.any() else None


def _cut_longest(ink_HW: np.ndarray, frame: Frame) -> np.ndarray:
    """Return the middle of a line that is longer than the frame."""
    height, width = ink_HW.shape
    most = round(height * frame.width / frame.height)
    left = max(0, (width - most) // 2)
    return ink_HW[:, left : left + most]


def _check_unusable(corpora: LazyCorpora, table: pd.DataFrame, tried: int) -> None:
    unusable = tried - len(table)
    _logger.info("document: %d of %d lines hold no ink and are left out.", unusable, tried)
    if corpora and unusable > _MOST_UNUSABLE * tried:
        raise CorpusCorruptError(
            f"Expected at most {_MOST_UNUSABLE:.0%} of the lines of {list(corpora)} without ink or "
            f"unreadable, got {unusable} of {tried}: fetch the corpora again (make corpora)."
        )


def split_lines(table: pd.DataFrame, parameters: DataParameters) -> pd.Series:
    """Return the split of each line: by group, and in some corpora by printed string, too.

    A printed line that stands on a page of one split with a string of another gets `drop`.
    """
    facts = table.assign(
        is_uppercase=None, is_published=False, cluster=np.arange(len(table), dtype=np.int64)
    )
    split = assign_splits(
        facts,
        {
            str(corpus): "own" if rows.notna().all() else "grouped"
            for corpus, rows in table.groupby("corpus")["own_split"]
        },
        valid_share=parameters.valid_share, test_share=parameters.test_share,
        seed=parameters.seed,
    )  # fmt: skip
    for corpus, share in parameters.unseen_strings.items():
        chosen = table["corpus"].eq(corpus) & table["label"].eq(LABELS[1])
        strings = table.loc[chosen, "text"].fillna("").map(normalise)
        unseen = choose_strings(strings, share, parameters.seed)
        is_tested = split[chosen].eq("test")
        split[chosen] = split[chosen].where(is_tested == strings.isin(unseen), "drop")
    return split


def normalise(text: str) -> str:
    """Return a heading without case, accents, points: as who knows it by heart would."""
    plain = unicodedata.normalize("NFD", text.casefold())
    return "".join(character for character in plain if character.isalnum())


def choose_strings(strings: pd.Series, share: float, seed: int) -> set[str]:
    """Return strings, drawn at random, that come to about a share of all lines."""
    counts = Counter(strings)
    order = np.random.default_rng(seed).permutation(sorted(counts))
    chosen: set[str] = set()
    for string in order.tolist():
        if sum(counts[each] for each in chosen) + counts[string] <= share * len(strings) + 1:
            chosen.add(string)
    return chosen
