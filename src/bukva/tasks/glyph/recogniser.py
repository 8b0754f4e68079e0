"""The recogniser that serves: preprocessing, an ONNX network and decoding in one object.

Shapes: N images, H x W pixels, F page features, K labels.
"""

import json
import math
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from pydantic import ValidationError

from bukva.core.arrays import Float32Array, UInt8Array
from bukva.core.imaging.ink import measure_ink
from bukva.core.predictor import OnnxModel, describe_foreign_file
from bukva.errors import ImageError, ModelFormatError, ParityError
from bukva.tasks.glyph.answer import (
    ANSWER_COLUMNS,
    EXPLANATION_COLUMNS,
    MAP_COLUMNS,
    READING_COLUMNS,
    Answer,
    Columns,
    Failure,
    Recognition,
    Source,
    sigmoid,
    softmax,
    to_answers,
)
from bukva.tasks.glyph.framing import frame_images, to_source
from bukva.tasks.glyph.preprocessing import PAGE_FEATURES, Glyph, Preprocessing

if TYPE_CHECKING:
    import pandas as pd

MEASURES: Final = ("ink_share", "stroke_width_px", "aspect", "height")
"""What is told of a drawing beside its symbol, so that a service can see what is sent to it: ink as
a share of the frame, width of the pen in the frame, width of the symbol over its height, and its
height as a share of the page."""

MAP_INPUT, MAP_OUTPUT = "explain", "grad_cam"
TOP_K = 5


class Probabilities(NamedTuple):
    """Float32 label probabilities `(N, K)` and probabilities of upper case `(N,)`."""

    label_NK: Float32Array
    uppercase_N: Float32Array


class Recogniser(OnnxModel):
    """Reads one symbol from each image. Immutable, so one object serves any number of calls."""

    def __init__(self, onnx_model: bytes | OnnxModel) -> None:
        """Load an ONNX file that carries its specification.

        Args:
            onnx_model: The file's bytes; or the same model, which is not opened again then.

        Raises:
            ModelFormatError: If it is no ONNX file, or not one of bukva's.
        """
        super().__init__(onnx_model)
        try:
            self.labels: str = self.spec["labels"]
            # Models that were made before images could be refused have none.
            self._symbol_threshold: float = self.spec.get("symbol_threshold", 0.0)
            self._constants = Preprocessing.of_model(self.spec["preprocessing"])
        except (KeyError, TypeError, ValueError) as error:
            raise ModelFormatError(describe_foreign_file()) from error
        self.has_map = MAP_OUTPUT in self.outputs

    def probabilities(self, images_NHW: UInt8Array, page_NF: Float32Array) -> Probabilities:
        """Return what the network says of framed images and their page features."""
        label_NK, case_N = self.run(
            ["label_logits", "case_logits"], images=images_NHW, page=page_NF.astype(np.float32)
        )
        return Probabilities(softmax(label_NK), sigmoid(case_N))

    def grad_cam(self, images_NHW: UInt8Array, page_NF: Float32Array) -> Float32Array | None:
        """Return where the last feature map speaks for the likeliest label: `(N, h, w)`, 0 or more.

        None if the network has no such map, or was exported before it was asked for one. The map is
        that of `bukva.tasks.glyph.evaluation.saliency.grad_cam`, which says more of it.
        """
        if not self.has_map:
            return None
        asked = {MAP_INPUT: np.array(True), "page": page_NF.astype(np.float32)}
        [maps_Nhw] = self.run([MAP_OUTPUT], images=images_NHW, **asked)
        found_Nhw: Float32Array = maps_Nhw
        return found_Nhw

    def recognise(
        self,
        images: "pd.Series[Any]",
        explain: "pd.Series[Any] | None" = None,
        source: "pd.Series[Any] | None" = None,
    ) -> "pd.DataFrame":
        """Answer for each encoded image; a bad one gets an `error` and harms no other.

        Args:
            images: The bytes of image files, in any form that `to_bytes` of
                `bukva.core.imaging.opening` knows.
            explain: For each image, whether to answer `EXPLANATION_COLUMNS` as well.
            source: For each image, a `Source`, or nothing where that is not known.

        Returns:
            One row an image, columns `ANSWER_COLUMNS`, and `EXPLANATION_COLUMNS` where `explain` is
            given; objects, with None where there is no value.

        Raises:
            TableError: If a source is none of those that are known.
        """
        import pandas as pd

        prepared = self.prepare(images, None if source is None else map(to_source, source))
        answers = self.answer(prepared) | _measure(prepared)
        columns = list(ANSWER_COLUMNS)
        if explain is not None:
            answers |= _show(prepared, explain) | self._locate(prepared, explain)
            columns += EXPLANATION_COLUMNS
        # To give each column a type of its own costs more than the network does.
        return pd.DataFrame(answers, columns=columns, index=images.index, dtype=object)

    def read(
        self,
        images: Sequence[bytes],
        sources: Sequence[Source | None] | None = None,
        *,
        with_map: bool = False,
    ) -> list[Answer]:
        """Return an answer for each encoded image, as `recognise` does, but without a table.

        Each has a frame, with a map or without: that costs nothing as long as nobody sends it.

        Raises:
            pydantic.ValidationError: If the network says something impossible, such as NaN.
        """
        prepared = self.prepare(images, sources)
        everyone = [True] * len(prepared)
        columns = self.answer(prepared) | _measure(prepared) | _show(prepared, everyone)
        if with_map:
            columns |= self._locate(prepared, everyone)
        rows = (dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))
        return [_to_answer(row) for row in rows]

    def prepare(
        self, images: Iterable[object], sources: Iterable[Source | None] | None = None
    ) -> list[Glyph | ImageError]:
        """Decode and frame images; in the place of a bad one stands what is wrong with it.

        Args:
            images: The bytes of image files, as `recognise` takes them, or pixels as `decode_image`
                returns them, or why there are none.
            sources: Where each comes from; None where that is known of none.
        """
        return frame_images(images, sources, self._constants)

    def answer(self, prepared: Sequence[Glyph | ImageError]) -> Columns:
        """Return `READING_COLUMNS` and `ERROR_COLUMNS` of what `prepare` returned."""
        glyphs = [item for item in prepared if isinstance(item, Glyph)]
        readings = self._read(glyphs) if glyphs else {name: [] for name in READING_COLUMNS}
        errors = [item if isinstance(item, ImageError) else None for item in prepared]
        return {name: _spread(values, errors) for name, values in readings.items()} | {
            "error": [error and error.code for error in errors],
            "error_detail": [error and str(error) for error in errors],
        }

    def _read(self, glyphs: Sequence[Glyph]) -> Columns:
        label_NK, uppercase_N = self.probabilities(*_stack(glyphs))
        return to_answers(
            label_NK,
            uppercase_N,
            self.labels,
            top_k=TOP_K,
            symbol_threshold=self._symbol_threshold,
        )

    def _locate(self, prepared: Sequence[Glyph | ImageError], asked: Iterable[bool]) -> Columns:
        """Return `MAP_COLUMNS`: None where it is not asked for, or not known."""
        located: Columns = {name: [None] * len(prepared) for name in MAP_COLUMNS}
        for place, (item, is_asked) in enumerate(zip(prepared, asked, strict=True)):
            if not is_asked or isinstance(item, ImageError) or item.frame_box is None:
                continue
            located["frame_box"][place] = item.frame_box._asdict()
            maps_Nhw = self.grad_cam(item.image_HW[None], item.page_F[None])
            if maps_Nhw is not None:
                located["grad_cam"][place] = maps_Nhw[0].tolist()
        return located


def _to_answer(row: dict[str, Any]) -> Answer:
    reading = {name: row.pop(name) for name in READING_COLUMNS}
    error, error_detail = row.pop("error"), row.pop("error_detail")
    if error is None:
        return Answer(reading=Recognition(**reading), **row)
    return Answer(reading=None, failure=Failure(error=error, error_detail=error_detail), **row)


_GOLDEN_AT_ONCE: Final = 32  # a service answers others meanwhile


def read_golden(content: bytes) -> list[dict[str, Any]]:
    """Return golden samples from what `bukva.tasks.glyph.golden.write_golden` wrote.

    Raises:
        ModelFormatError: If that is something else.
    """
    try:
        return [
            {
                "image": b64decode(row["image"], validate=True),
                "symbol": row["symbol"],
                "confidence": row["confidence"],
            }
            for row in json.loads(content)
        ]
    except (ValueError, TypeError, KeyError) as error:
        message = f"Expected a list of images with their answers as golden samples, got: {error}"
        raise ModelFormatError(f"{message}. Package the model again.") from error


def check_golden(
    recogniser: Recogniser, golden: Sequence[Mapping[str, Any]], tolerance: float = 1e-3
) -> None:
    """Compare what a recogniser answers with what was answered when it was packaged.

    Args:
        recogniser: What answers.
        golden: As `read_golden` returns them: the bytes of an `image`, `symbol` and `confidence`,
            which are None where the image is refused.
        tolerance: Largest difference in confidence, 0..1: processors differ in the last digits.

    Raises:
        ParityError: If any symbol, or any confidence by more than the tolerance, differs.
    """
    others = []
    for start in range(0, len(golden), _GOLDEN_AT_ONCE):
        rows = golden[start : start + _GOLDEN_AT_ONCE]
        try:
            answers = recogniser.read([row["image"] for row in rows])
        except ValidationError as error:
            raise ParityError(f"Expected the answers of golden samples, got: {error}") from error
        for row, answer in zip(rows, answers, strict=True):
            symbol = answer.reading and answer.reading.symbol
            confidence = answer.reading and answer.reading.confidence
            change = abs((confidence or 0.0) - (row["confidence"] or 0.0))
            if symbol != row["symbol"] or not change <= tolerance:
                others.append(
                    f"{symbol!r} for {row['symbol']!r}, the confidence off by {change:.2g}"
                )
    if others:
        raise ParityError(
            f"Expected the answers of {len(golden)} golden samples, got {len(others)} others, such "
            f"as {others[0]}. The files of the model do not belong together."
        )


def measure(images_NHW: UInt8Array, page_NF: Float32Array) -> list[dict[str, float | None]]:
    """Return `MEASURES` for each of N framed images; the height is None where no page is known."""
    ink = measure_ink(images_NHW)
    heights = page_NF[:, PAGE_FEATURES.index("rel_height")].tolist()
    columns = (
        ink.share_N.tolist(),
        ink.stroke_width_px_N.tolist(),
        ink.aspect_N.tolist(),
        [None if math.isnan(height) else height for height in heights],
    )
    return [dict(zip(MEASURES, row, strict=True)) for row in zip(*columns, strict=True)]


def _stack(glyphs: Sequence[Glyph]) -> tuple[UInt8Array, Float32Array]:
    """Return the images and the page features of framed symbols."""
    images_NHW = np.stack([glyph.image_HW for glyph in glyphs])
    return images_NHW, np.stack([glyph.page_F for glyph in glyphs])


def _measure(prepared: Sequence[Glyph | ImageError]) -> Columns:
    """Return the measures of the images that could be used."""
    glyphs = [item for item in prepared if isinstance(item, Glyph)]
    measures = measure(*_stack(glyphs)) if glyphs else []
    return {"measures": _spread(measures, prepared)}


def _show(prepared: Sequence[Glyph | ImageError], asked: Iterable[bool]) -> Columns:
    """Return what the network saw, where that is asked for.

    It is base64 of grey levels, row by row, so that an answer can be written as JSON.
    """
    frames = [
        b64encode(item.image_HW.tobytes()).decode("ascii")
        if is_asked and isinstance(item, Glyph)
        else None
        for item, is_asked in zip(prepared, asked, strict=True)
    ]
    return {"frame": frames}


def _spread(values: Iterable[Any], prepared: Sequence[object]) -> list[Any]:
    """Return the values of the images that could be used, None in the places of the others."""
    left = iter(values)
    return [None if isinstance(item, ImageError) else next(left) for item in prepared]
