"""The recogniser that serves: preprocessing, an ONNX network and decoding in one object.

Shapes: N images, H x W pixels, F page features, K labels.
"""

import hashlib
import json
from typing import Any, NamedTuple, Self

import numpy as np
import onnxruntime as ort
import pandas as pd

from bukva.data.decoding import decode_image
from bukva.data.preprocessing import Glyph, Preprocessing, preprocess
from bukva.data.samples import Float32Array, UInt8Array
from bukva.errors import ImageError, ModelFormatError
from bukva.inference.answers import ANSWER_COLUMNS, sigmoid, softmax, to_answer, to_refusal
from bukva.inference.measures import measure

SPEC_KEY = "bukva.spec"
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
        batches = (slice(i, i + _BATCH_SIZE) for i in range(0, len(images_NHW), _BATCH_SIZE))
        parts = [self._run(images_NHW[batch], page_NF[batch]) for batch in batches]
        label_NK, case_N = (np.concatenate(part) for part in zip(*parts, strict=True))
        return Probabilities(softmax(label_NK), sigmoid(case_N))

    def _run(self, images_NHW: UInt8Array, page_NF: Float32Array) -> list[Float32Array]:
        feeds = {"images": images_NHW, "page": page_NF.astype(np.float32)}
        logits: list[Float32Array] = self._session.run(["label_logits", "case_logits"], feeds)
        return logits

    def recognise(self, images: pd.Series) -> pd.DataFrame:
        """Answer for each encoded image; a bad one gets an `error` and harms no other.

        Args:
            images: The bytes of image files.

        Returns:
            One row an image, columns `ANSWER_COLUMNS`; objects, with None where there is no value.
        """
        prepared = [self._prepare(encoded) for encoded in images]
        glyphs = [glyph for glyph in prepared if isinstance(glyph, Glyph)]
        answers = iter(self.answer(glyphs))
        rows = [next(answers) if isinstance(item, Glyph) else item for item in prepared]
        # To give each column a type of its own costs more than the network does.
        return pd.DataFrame(rows, columns=list(ANSWER_COLUMNS), index=images.index, dtype=object)

    def answer(self, glyphs: list[Glyph]) -> list[dict[str, Any]]:
        """Return a row of `ANSWER_COLUMNS` for each framed symbol."""
        if not glyphs:
            return []
        images_NHW = np.stack([glyph.image_HW for glyph in glyphs])
        page_NF = np.stack([glyph.page_F for glyph in glyphs])
        label_NK, uppercase_N = self.probabilities(images_NHW, page_NF)
        return [
            to_answer(
                label_K,
                float(uppercase),
                self.labels,
                top_k=TOP_K,
                symbol_threshold=self._symbol_threshold,
                measures=measures,
                frame=image_HW.tobytes(),
            )
            for label_K, uppercase, measures, image_HW in zip(
                label_NK, uppercase_N, measure(images_NHW, page_NF), images_NHW, strict=True
            )
        ]

    def _prepare(self, encoded: object) -> Glyph | dict[str, Any]:
        if not isinstance(encoded, bytes):
            detail = f"Expected the bytes of an image file, got {type(encoded).__name__}."
            return to_refusal("undecodable_image", detail)
        try:
            return preprocess(decode_image(encoded), constants=self._constants)
        except ImageError as error:
            return to_refusal(error.code, str(error))
