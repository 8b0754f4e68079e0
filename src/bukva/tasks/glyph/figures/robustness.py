"""How accuracy falls as the drawings are disturbed."""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from bukva.core.arrays import UInt8Array
from bukva.core.evaluation.figures import style
from bukva.core.evaluation.intervals import wilson_interval
from bukva.core.imaging.decoding import decode_image, to_grey
from bukva.core.tables import require_columns
from bukva.errors import ImageError
from bukva.tasks.glyph.parameters import ShiftName
from bukva.tasks.glyph.preprocessing import preprocess

PAGE_PX: Final = 128
SYMBOL_PX: Final = 80
"""Longest side of the symbol on the page: the pens' strengths are pixels at this size."""

_PAPER: Final = 255

Shift: TypeAlias = Callable[[UInt8Array, float, Generator], UInt8Array]
"""From a page `(H, W)`, dark on light, and a strength to another page."""


def render_page(frame_HW: UInt8Array) -> UInt8Array:
    """Return a framed symbol, ink high on zero, as a page of `PAGE_PX`, dark on light."""
    rows, columns = np.flatnonzero(frame_HW.any(1)), np.flatnonzero(frame_HW.any(0))
    if not len(rows):
        return np.full((PAGE_PX, PAGE_PX), _PAPER, dtype=np.uint8)
    symbol_HW = frame_HW[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = SYMBOL_PX / max(symbol_HW.shape)
    height, width = (max(1, round(side * scale)) for side in symbol_HW.shape)
    # A pixel of margin, so that the outline is smooth on all sides.
    symbol = Image.fromarray(np.pad(symbol_HW, 1))
    margin = round(scale)
    symbol = symbol.resize((width + 2 * margin, height + 2 * margin), Image.Resampling.BICUBIC)
    page = Image.new("L", (PAGE_PX, PAGE_PX))
    page.paste(symbol, ((PAGE_PX - symbol.width) // 2, (PAGE_PX - symbol.height) // 2))
    return _PAPER - np.asarray(page)


def shift_frames(
    images_NHW: UInt8Array, shift: Shift, strength: float, seed: int
) -> tuple[UInt8Array, np.ndarray]:
    """Return frames made of disturbed pages, and whether nothing was left of each, `(N,)`.

    Args:
        images_NHW: Frames, uint8, ink high on zero.
        shift: What happens to the pages.
        strength: How strong it is.
        seed: Of its randomness; each sample has a generator of its own.
    """
    shifted_NHW = np.zeros_like(images_NHW)
    is_empty_N = np.zeros(len(images_NHW), dtype=bool)
    for place, frame_HW in enumerate(images_NHW):
        page_HW = shift(render_page(frame_HW), strength, np.random.default_rng((seed, place)))
        try:
            shifted_NHW[place] = preprocess(page_HW).image_HW
        except ImageError:
            is_empty_N[place] = True
    return shifted_NHW, is_empty_N


def leave(page_HW: UInt8Array, strength: float, rng: Generator) -> UInt8Array:  # noqa: ARG001
    """Return the page as it is."""
    return page_HW


def rotate(page_HW: UInt8Array, angle_deg: float, rng: Generator) -> UInt8Array:
    """Turn the page, either way."""
    turn_deg = angle_deg * rng.choice([-1, 1])
    page = Image.fromarray(page_HW)
    return np.asarray(page.rotate(turn_deg, Image.Resampling.BICUBIC, fillcolor=_PAPER))


def add_noise(page_HW: UInt8Array, deviation: float, rng: Generator) -> UInt8Array:
    """Add Gaussian noise of a standard deviation in grey levels."""
    noise_HW = rng.standard_normal(page_HW.shape, dtype=np.float32) * np.float32(deviation)
    noisy_HW: UInt8Array = np.clip(page_HW + noise_HW, 0, 255).astype(np.uint8)
    return noisy_HW


def compress(page_HW: UInt8Array, quality: float, rng: Generator) -> UInt8Array:  # noqa: ARG001
    """Write the page as a JPEG file of a quality 1..95, and read it as the service does."""
    buffer = io.BytesIO()
    Image.fromarray(page_HW).save(buffer, "JPEG", quality=round(quality))
    return to_grey(decode_image(buffer.getvalue()))


def thin(page_HW: UInt8Array, radius_px: float, rng: Generator) -> UInt8Array:  # noqa: ARG001
    """Take a margin off the ink, as by a thinner pen."""
    return ndimage.maximum_filter(page_HW, size=2 * round(radius_px) + 1)


def thicken(page_HW: UInt8Array, radius_px: float, rng: Generator) -> UInt8Array:  # noqa: ARG001
    """Give the ink a margin, as by a thicker pen."""
    return ndimage.minimum_filter(page_HW, size=2 * round(radius_px) + 1)


def invert(page_HW: UInt8Array, contrast: float, rng: Generator) -> UInt8Array:  # noqa: ARG001
    """Return light ink on black; the ink's tone is a share of white."""
    inverted_HW: UInt8Array = ((_PAPER - page_HW) * contrast).round().astype(np.uint8)
    return inverted_HW


SHIFTS: Final[Mapping[ShiftName, Shift]] = {
    "rotation_deg": rotate,
    "noise": add_noise,
    "jpeg_quality": compress,
    "thinner_pen_px": thin,
    "thicker_pen_px": thicken,
    "inverted_contrast": invert,
}


Judge: TypeAlias = Callable[[UInt8Array], NDArray[np.bool_]]
"""From images of the chosen samples to whether the label of each is read rightly."""

STORED: Final = "stored"
RENDERED: Final = "rendered"


def choose_evenly(table: pd.DataFrame, count: int, seed: int) -> NDArray[np.intp]:
    """Return row numbers of about as many samples of each corpus, and of each of its labels."""
    shuffled = table.reset_index(drop=True).sample(frac=1, random_state=seed)
    place_N = shuffled.groupby(["corpus", "label"]).cumcount()
    dealt = shuffled.assign(place=place_N).sort_values("place", kind="stable")
    per_corpus = -(-count // max(1, table["corpus"].nunique()))
    return np.sort(dealt.groupby("corpus").head(per_corpus).index.to_numpy())


def measure_robustness(
    corpora: pd.Series,
    images_SHW: UInt8Array,
    is_right: Judge,
    strengths: Mapping[ShiftName, Sequence[float]],
    seed: int,
) -> pd.DataFrame:
    """Return the label accuracy on disturbed samples, by corpus.

    Args:
        corpora: Of each sample.
        images_SHW: Their frames, uint8, ink high on zero.
        is_right: Asks the recogniser; the page features stay as they were.
        strengths: What happens to the samples, and how strongly.
        seed: Of its randomness.

    Returns:
        One row a shift, strength and corpus: `shift`, `strength`, `corpus`, `n`, `accuracy` and its
        95 % interval `low`, `high` (Wilson), `empty` (share of which nothing was left; they
        count as misread). The shift `stored` is the samples as they are, `rendered` what is
        left after they were enlarged and framed again, with nothing else done to them.
    """
    rows: list[dict[str, object]] = []
    nothing_S = np.zeros(len(images_SHW), dtype=bool)
    shown = [(STORED, 0.0, images_SHW, nothing_S)]
    for shift, strength, frames_SHW, is_empty_S in [*shown, *_disturb(images_SHW, strengths, seed)]:
        is_right_S = pd.Series(is_right(frames_SHW) & ~is_empty_S)
        for corpus, found in is_right_S.groupby(corpora.to_numpy()):
            empty = float(is_empty_S[found.index].mean())
            start = {"shift": shift, "strength": strength, "corpus": corpus}
            rows.append(start | _accuracy(found) | {"empty": empty})
    return pd.DataFrame(rows)


def _disturb(
    images_SHW: UInt8Array, strengths: Mapping[ShiftName, Sequence[float]], seed: int
) -> Iterator[tuple[str, float, UInt8Array, NDArray[np.bool_]]]:
    yield RENDERED, 0.0, *shift_frames(images_SHW, leave, 0.0, seed)
    for name, values in strengths.items():
        for strength in values:
            yield name, strength, *shift_frames(images_SHW, SHIFTS[name], strength, seed)


def _accuracy(is_right: pd.Series) -> dict[str, object]:
    right, total = int(is_right.sum()), len(is_right)
    low, high = wilson_interval(right, total)
    return {"n": total, "accuracy": right / total, "low": low, "high": high}


TITLES: Final = {
    "rotation_deg": "Turned either way, degrees",
    "thinner_pen_px": "Thinner pen, px off either side",
    "thicker_pen_px": "Thicker pen, px on either side",
    "noise": "Noise, deviation in grey levels",
    "jpeg_quality": "JPEG file, quality",
    "inverted_contrast": "Light on black, tone of the ink",
}
_COLUMNS: Final = ("shift", "strength", "corpus", "n", "accuracy", "low", "high")
_PANELS_PER_ROW: Final = 3


def plot_robustness(robustness: pd.DataFrame) -> Figure:
    """Draw label accuracy against the strength of each disturbance, a line for each corpus.

    Args:
        robustness: As `measure_robustness` returns it.

    Raises:
        TableError: If columns are missing.
    """
    require_columns(robustness, _COLUMNS)
    stored = robustness[robustness["shift"] == STORED]
    names = [name for name in TITLES if name in set(robustness["shift"])]
    corpora = ", ".join(style.corpus_title(name) for name in stored["corpus"])
    subtitle = (
        f"Label accuracy on {stored['n'].sum():,} samples of {corpora}, enlarged to 80 px and "
        "framed again; dotted: as they are"
    )
    rows = max(1, -(-len(names) // _PANELS_PER_ROW))
    figure = style.new_figure(13, 1.5 + 3.1 * rows, "Robustness under shift", subtitle, gap=0.06)
    if not names:
        style.write_empty(figure.add_subplot(), "nothing was disturbed")
        return figure
    colours = style.corpus_colours(stored["corpus"])
    grid = figure.subplots(rows, _PANELS_PER_ROW, sharey=True, squeeze=False)
    for axes, name in zip(grid.flat, names, strict=False):
        _draw_panel(axes, robustness, name, colours)
    for axes in grid.flat[len(names) :]:
        axes.set_axis_off()
    handles = [
        Line2D([], [], color=colour, marker="o", markersize=4, label=style.corpus_title(corpus))
        for corpus, colour in colours.items()
    ]
    figure.legend(
        handles=handles, loc="outside lower left", ncols=6, frameon=False, labelcolor=style.TEXT
    )
    return figure


def _draw_panel(axes: Axes, robustness: pd.DataFrame, name: str, colours: dict[str, str]) -> None:
    for corpus, colour in colours.items():
        of_corpus = robustness[robustness["corpus"] == corpus]
        line = of_corpus[of_corpus["shift"].isin([RENDERED, name])]
        places = range(len(line))
        axes.fill_between(places, line["low"], line["high"], color=colour, alpha=0.1, linewidth=0)
        axes.plot(places, line["accuracy"], color=colour, marker="o", markersize=4, linewidth=1.6)
        stored = float(of_corpus.loc[of_corpus["shift"] == STORED, "accuracy"].iloc[0])
        axes.axhline(stored, color=colour, linewidth=0.9, linestyle=(0, (1, 2)))
    strengths = robustness.loc[robustness["shift"] == name, "strength"].unique()
    axes.set_xticks(range(len(strengths) + 1), ["none", *(f"{value:g}" for value in strengths)])
    axes.set_ylim(top=1)
    style.style_axes(axes, TITLES[name], grid="y")
    style.percent_axis(axes)
