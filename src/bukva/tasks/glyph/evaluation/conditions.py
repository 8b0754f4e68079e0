"""How letters are read on paper and by cameras: the same ones clean, and under each condition.

Shapes: N letters, H x W pixels.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

import cv2
import numpy as np
import pandas as pd

from bukva.core.arrays import BoolArray, UInt8Array
from bukva.core.evaluation.intervals import paired_difference_interval
from bukva.core.imaging.decoding import decode_image, to_grey
from bukva.core.samples import LazyCorpora, RawSample
from bukva.errors import ImageError, TableError
from bukva.tasks.glyph.charset import is_letter
from bukva.tasks.glyph.embedded import draw_letters_and_digits
from bukva.tasks.glyph.evaluation.scenes import SCENES
from bukva.tasks.glyph.recogniser import Recogniser

CLEAN: Final = "clean"
ALL: Final = "all"
CORPORA: Final = ("comnist", "rukopys")
"""Those that have letters as large as a pen leaves them, on screens and on paper."""

UNKNOWN_TO_TRAINING: Final = frozenset({"millimetre", "crease", "kraft"})
"""Conditions of which training simulates nothing like it."""

COLUMNS: Final = (
    "condition", "corpus", "n", "right", "refused", "points_below_clean", "low", "high",
    "known_to_training",
)  # fmt: skip

_JPEG_QUALITY: Final = 90
_WITHOUT_LOSS: Final = frozenset({"white_pixel"})
_OWN_SEED: Final = 1_000_000
"""Added to the seed of drawn letters: nobody trains on these."""

Reader: TypeAlias = Callable[[Sequence[bytes]], Sequence[str | None]]
"""From image files to the label that each is read as, None where it is refused."""


class Letter(NamedTuple):
    """A letter to be read.

    Attributes:
        corpus: It comes from.
        label: What it shows.
        is_uppercase: None where the corpus does not say.
        file: The image file, as the corpus holds it.
        page_HW: Its pixels, grey, dark on white.
    """

    corpus: str
    label: str
    is_uppercase: bool | None
    file: bytes
    page_HW: UInt8Array


def choose_letters(
    corpora: LazyCorpora, table: pd.DataFrame, count: int, seed: int
) -> list[Letter]:
    """Return letters of the test split, as many of each of `CORPORA` that is there.

    Without any, the stroke alphabet writes them, with a seed of its own.

    Args:
        corpora: What the catalog reads.
        table: The sample table: it says what is tested on.
        count: How many in all, at most.
        seed: Decides which.
    """
    names = [name for name in CORPORA if name in corpora]
    rng = np.random.default_rng(seed)
    if not names:
        drawn = list(draw_letters_and_digits(1, _OWN_SEED + seed))
        return _pick("strokes", drawn, count, rng)
    is_test = table["split"].eq("test") & table["corpus"].isin(names)
    tested = set(table.loc[is_test, "sample_id"])
    letters: list[Letter] = []
    for name in names:
        samples = [sample for sample in corpora[name]() if f"{name}/{sample.name}" in tested]
        letters += _pick(name, samples, -(-count // len(names)), rng)
    return letters


def _pick(
    corpus: str, samples: Sequence[RawSample], count: int, rng: np.random.Generator
) -> list[Letter]:
    """Return some of the samples that are letters and have ink, at random."""
    letters: list[Letter] = []
    for place in rng.permutation(len(samples)):
        if len(letters) == count:
            break
        sample = samples[place]
        page_HW = _page_of(sample) if is_letter(sample.label) else None
        if page_HW is not None:
            image = sample.image
            file = _encode(page_HW, ".png") if isinstance(image, np.ndarray) else image
            letters.append(Letter(corpus, sample.label, sample.is_uppercase, file, page_HW))
    return letters


def _page_of(sample: RawSample) -> UInt8Array | None:
    """Return a sample's pixels in grey; None where there is no ink to see."""
    try:
        image = sample.image
        pixels = image if isinstance(image, np.ndarray) else decode_image(image)
    except ImageError:
        return None
    page_HW = to_grey(pixels)
    return page_HW if int(page_HW.max()) - int(page_HW.min()) > 100 else None


def show(letters: Sequence[Letter], condition: str, seed: int) -> list[bytes]:
    """Return image files of letters under a condition; `clean` gives their own files.

    Each picture has a generator of its own, of the seed, the condition and its place.

    Raises:
        TableError: If there is no such condition.
    """
    if condition == CLEAN:
        return [letter.file for letter in letters]
    if condition not in SCENES:
        raise TableError(f"Expected one of {CLEAN}, {', '.join(SCENES)}, got {condition!r}.")
    extension = ".png" if condition in _WITHOUT_LOSS else ".jpg"
    key = (seed, *condition.encode())
    return [
        _encode(SCENES[condition](letter.page_HW, np.random.default_rng((*key, place))), extension)
        for place, letter in enumerate(letters)
    ]


def _encode(pixels: UInt8Array, extension: str) -> bytes:
    colours = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR) if pixels.ndim == 3 else pixels
    options = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY] if extension == ".jpg" else []
    _, encoded = cv2.imencode(extension, colours, options)
    return encoded.tobytes()


def read_labels(recogniser: Recogniser, files: Sequence[bytes]) -> list[str | None]:
    """Return the label that each image file is read as, None where it is refused or in error."""
    columns = recogniser.answer(recogniser.prepare(files))
    return [symbol.lower() if symbol else None for symbol in columns["symbol"]]


def measure_conditions(letters: Sequence[Letter], read: Reader, seed: int) -> pd.DataFrame:
    """Return how well letters are read clean and under each condition.

    Args:
        letters: As `choose_letters` returns them.
        read: Asks a recogniser.
        seed: Of the pictures.

    Returns:
        As `score_conditions`.
    """
    answers = {name: read(show(letters, name, seed)) for name in (CLEAN, *SCENES)}
    return score_conditions(letters, answers)


def score_conditions(
    letters: Sequence[Letter], answers: Mapping[str, Sequence[str | None]]
) -> pd.DataFrame:
    """Return the shares that are read rightly, whatever the case, by condition and corpus.

    Args:
        letters: What was shown.
        answers: By condition, `clean` among them, what each letter was read as.

    Returns:
        `COLUMNS`, one row a condition and corpus, `all` among them: shares `right` and `refused`
        (which are not right), by how many percentage points fewer are right than of the clean
        files, and the 95 % interval of that, paired (Newcombe 1998).
    """
    label_N = np.array([letter.label for letter in letters])
    corpus_N = np.array([letter.corpus for letter in letters])
    is_right = {name: np.array(read) == label_N for name, read in answers.items()}
    parts = {name: corpus_N == name for name in dict.fromkeys(corpus_N.tolist())}
    if len(parts) > 1:
        parts[ALL] = np.ones(len(letters), dtype=bool)
    rows = []
    for name, read in answers.items():
        is_refused_N = np.array([label is None for label in read])
        for corpus, is_of_N in parts.items():
            start = {"condition": name, "corpus": corpus, "n": int(is_of_N.sum())}
            found = _compare(is_right[CLEAN][is_of_N], is_right[name][is_of_N])
            found["refused"] = float(is_refused_N[is_of_N].mean())
            rows.append(start | found | {"known_to_training": name not in UNKNOWN_TO_TRAINING})
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _compare(clean_N: BoolArray, right_N: BoolArray) -> dict[str, float]:
    """Return the share that is right, and the points that it lies below the clean ones."""
    low, high = paired_difference_interval(clean_N, right_N)
    right = float(right_N.mean())
    below = 100 * (float(clean_N.mean()) - right)
    return {"right": right, "points_below_clean": below, "low": -100 * high, "high": -100 * low}


def overall(conditions: pd.DataFrame) -> pd.DataFrame:
    """Return the rows over all corpora of what `score_conditions` returned, by condition."""
    corpora = conditions["corpus"].unique()
    corpus = ALL if ALL in corpora else corpora[0]
    return conditions[conditions["corpus"] == corpus].set_index("condition")
