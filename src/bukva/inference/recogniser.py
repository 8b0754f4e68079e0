"""The recogniser that serves: preprocessing, an ONNX network and decoding in one object.

Shapes: N images, H x W pixels, F page features, K labels.
"""

import hashlib
import json
from base64 import b64encode
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
import onnxruntime as ort
import pandas as pd
from numpy.typing import NDArray

from bukva.data.decoding import decode_image
from bukva.data.preprocessing import Glyph, Preprocessing, preprocess_all
from bukva.data.samples import Float32Array, UInt8Array
from bukva.errors import ImageDecodeError, ImageError, ModelFormatError
from bukva.inference.answers import (
    ANSWER_COLUMNS,
    MAP_COLUMNS,
    READING_COLUMNS,
    Columns,
    sigmoid,
    softmax,
    to_answers,
)
from bukva.inference.measures import measure

SPEC_KEY = "bukva.spec"
MAP_INPUT, MAP_OUTPUT = "explain", "grad_cam"
TOP_K = 5
# More at once is no faster, and the memory grows with it.
_BATCH_SIZE = 1024


class Probabilities(NamedTuple):
    """Float32 label probabilities `(N, K)` and probabilities of upper case `(N,)`."""

    label_NK: Float32Array
    uppercase_N: Float32Array


class Recogniser:
    """Reads one symbol from each image. Immutable, so one object serves any number of calls."""

    def __init__(self, onnx_model: bytes) -> None:
        """Load an ONNX file that carries its specification.

        Args:
            onnx_model: The file's bytes.

        Raises:
            ModelFormatError: If it is no ONNX file, or not one of bukva's.
        """
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3  # else it warns that an input need not be given
        try:
            self._session = ort.InferenceSession(
                onnx_model, options, providers=["CPUExecutionProvider"]
            )
            metadata = self._session.get_modelmeta().custom_metadata_map
            self.spec: dict[str, Any] = json.loads(metadata[SPEC_KEY])
            self.labels: str = self.spec["labels"]
            # Models that were made before images could be refused have none.
            self._symbol_threshold: float = self.spec.get("symbol_threshold", 0.0)
            self._constants = Preprocessing(**self.spec["preprocessing"])
        except Exception as error:  # onnxruntime raises many kinds for broken files
            message = (
                f"Expected an ONNX file with a specification of bukva in its metadata "
                f"'{SPEC_KEY}', got another one. Run `kedro run --pipeline=packaging` again."
            )
            raise ModelFormatError(message) from error
        self._has_map = MAP_OUTPUT in {output.name for output in self._session.get_outputs()}
        self.onnx_model = onnx_model

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return itself: kedro-mlflow copies its catalog on every call."""
        return self

    @property
    def sha256(self) -> str:
        """Digest of the ONNX file."""
        return hashlib.sha256(self.onnx_model).hexdigest()

    def probabilities(self, images_NHW: UInt8Array, page_NF: Float32Array) -> Probabilities:
        """Return what the network says of framed images and their page features."""
        label_NK, case_N = self._run(["label_logits", "case_logits"], images_NHW, page_NF)
        return Probabilities(softmax(label_NK), sigmoid(case_N))

    def grad_cam(self, images_NHW: UInt8Array, page_NF: Float32Array) -> Float32Array | None:
        """Return where the last feature map speaks for the likeliest label: `(N, h, w)`, 0 or more.

        None if the network has no such map, or was exported before it was asked for one. The map is
        that of `bukva.evaluation.saliency.grad_cam`, which says more of it.
        """
        if not self._has_map:
            return None
        asked = {MAP_INPUT: np.array(True)}
        [maps_Nhw] = self._run([MAP_OUTPUT], images_NHW, page_NF, **asked)
        return maps_Nhw

    def _run(
        self,
        outputs: list[str],
        images_NHW: UInt8Array,
        page_NF: Float32Array,
        **feeds: NDArray[np.bool_],
    ) -> list[Float32Array]:
        page_NF = page_NF.astype(np.float32)
        batches = (slice(i, i + _BATCH_SIZE) for i in range(0, len(images_NHW), _BATCH_SIZE))
        parts = [
            self._session.run(
                outputs, {"images": images_NHW[batch], "page": page_NF[batch], **feeds}
            )
            for batch in batches
        ]
        return [np.concatenate(part) for part in zip(*parts, strict=True)]

    def recognise(self, images: pd.Series, explain: pd.Series | None = None) -> pd.DataFrame:
        """Answer for each encoded image; a bad one gets an `error` and harms no other.

        Args:
            images: The bytes of image files.
            explain: For each image, whether to answer `MAP_COLUMNS` as well.

        Returns:
            One row an image, columns `ANSWER_COLUMNS`, and `MAP_COLUMNS` where `explain` is given;
            objects, with None where there is no value.
        """
        prepared = self.prepare(images)
        answers = self.answer(prepared) | _describe(prepared)
        columns = list(ANSWER_COLUMNS)
        if explain is not None:
            located = [
                self._locate(item) if is_wanted else {}
                for item, is_wanted in zip(prepared, explain, strict=True)
            ]
            answers |= {name: [maps.get(name) for maps in located] for name in MAP_COLUMNS}
            columns += MAP_COLUMNS
        # To give each column a type of its own costs more than the network does.
        return pd.DataFrame(answers, columns=columns, index=images.index, dtype=object)

    def prepare(self, images: Iterable[object]) -> list[Glyph | ImageError]:
        """Decode and frame images; in the place of a bad one stands what is wrong with it.

        Args:
            images: The bytes of image files, or grey pixels `(H, W)` as uint8, or why there are
                none.
        """
        decoded = [_decode(image) for image in images]
        greys = [image for image in decoded if not isinstance(image, ImageError)]
        framed = iter(preprocess_all(greys, constants=self._constants))
        return [image if isinstance(image, ImageError) else next(framed) for image in decoded]

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

    def _locate(self, item: Glyph | ImageError) -> dict[str, Any]:
        """Return `MAP_COLUMNS` of a framed symbol; nothing of what could not be used."""
        if isinstance(item, ImageError) or item.frame_box is None:
            return {}
        maps_Nhw = self.grad_cam(item.image_HW[None], item.page_F[None])
        if maps_Nhw is None:
            return {}
        return {"grad_cam": maps_Nhw[0].tolist(), "frame_box": item.frame_box._asdict()}


def _decode(image: object) -> UInt8Array | ImageError:
    if isinstance(image, np.ndarray | ImageError):
        return image
    if not isinstance(image, bytes):
        message = f"Expected the bytes of an image file, got {type(image).__name__}."
        return ImageDecodeError(message)
    try:
        return decode_image(image)
    except ImageError as error:
        return error


def _stack(glyphs: Sequence[Glyph]) -> tuple[UInt8Array, Float32Array]:
    """Return the images and the page features of framed symbols."""
    images_NHW = np.stack([glyph.image_HW for glyph in glyphs])
    return images_NHW, np.stack([glyph.page_F for glyph in glyphs])


def _describe(prepared: Sequence[Glyph | ImageError]) -> Columns:
    """Return what a service is told beside the answer: the measures, and what the network saw.

    The frame is base64 of grey levels, row by row, so that the answer can be written as JSON.
    """
    glyphs = [item for item in prepared if isinstance(item, Glyph)]
    frames = [b64encode(glyph.image_HW.tobytes()).decode("ascii") for glyph in glyphs]
    measures = measure(*_stack(glyphs)) if glyphs else []
    return {"measures": _spread(measures, prepared), "frame": _spread(frames, prepared)}


def _spread(values: Iterable[Any], prepared: Sequence[object]) -> list[Any]:
    """Return the values of the images that could be used, None in the places of the others."""
    left = iter(values)
    return [None if isinstance(item, ImageError) else next(left) for item in prepared]
