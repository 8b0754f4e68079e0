"""A network in ONNX that carries its specification: what every task's recogniser stands on."""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from pydantic import BaseModel

from bukva.core.arrays import UInt8Array
from bukva.errors import ImageError, ModelFormatError

if TYPE_CHECKING:
    import pandas as pd  # the service does without

A = TypeVar("A", bound=BaseModel)

SPEC_KEY: Final = "bukva.spec"
# More at once is no faster, and the memory grows with it.
_BATCH_SIZE: Final = 1024


def describe_foreign_file() -> str:
    """Return what is said of a file that is not one of bukva's."""
    return (
        f"Expected an ONNX file with a specification of bukva in its metadata '{SPEC_KEY}', got "
        "another one. Run `kedro run --pipeline=packaging` again."
    )


class OnnxModel:
    """Runs on one thread. Immutable, so one object serves any number of calls.

    Attributes:
        onnx_model: The file's bytes.
        outputs: Names of what it can be asked for.
        metadata: What stands in the file beside the network.
        spec: What of it tells how the network was made.
    """

    onnx_model: bytes
    outputs: frozenset[str]
    metadata: dict[str, str]
    spec: dict[str, Any]
    _session: ort.InferenceSession

    def __init__(self, onnx_model: "bytes | OnnxModel") -> None:
        """Load an ONNX file that carries its specification.

        Args:
            onnx_model: The file's bytes; or the same model, which is not opened again then.

        Raises:
            ModelFormatError: If it is no ONNX file, or not one of bukva's.
        """
        if isinstance(onnx_model, OnnxModel):
            vars(self).update(vars(onnx_model))
            return
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3  # else it warns that an input need not be given
        try:
            self._session = ort.InferenceSession(
                onnx_model, options, providers=["CPUExecutionProvider"]
            )
            self.metadata = self._session.get_modelmeta().custom_metadata_map
            self.spec = json.loads(self.metadata[SPEC_KEY])
        except Exception as error:  # onnxruntime raises many kinds for broken files
            raise ModelFormatError(describe_foreign_file()) from error
        self.outputs = frozenset(output.name for output in self._session.get_outputs())
        self.onnx_model = onnx_model

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return itself: kedro-mlflow copies its catalog on every call."""
        return self

    @property
    def task(self) -> str:
        """Name of the task that it is of; models of before are of glyphs."""
        return str(self.spec.get("task", "glyph"))

    @property
    def sha256(self) -> str:
        """Digest of the ONNX file."""
        return hashlib.sha256(self.onnx_model).hexdigest()

    def run(self, outputs: list[str], **inputs: NDArray[Any]) -> list[Any]:
        """Return the named outputs for inputs by name: batches, or single values."""
        count = max(len(value) for value in inputs.values() if value.ndim)
        parts = []
        for start in range(0, count, _BATCH_SIZE):
            batch = slice(start, start + _BATCH_SIZE)
            feeds = {name: value[batch] if value.ndim else value for name, value in inputs.items()}
            parts.append(self._session.run(outputs, feeds))
        return [np.concatenate(values) for values in zip(*parts, strict=True)]


class ImageReader(OnnxModel, ABC, Generic[A]):
    """Answers for encoded images; a bad one harms no other.

    Attributes:
        answer_model: Has the fields `error` and `error_detail`, for images that cannot be used.
    """

    answer_model: type[A]

    @abstractmethod
    def prepare(self, image: bytes) -> UInt8Array:
        """Return an image as the network takes it, `(H, W)`.

        Raises:
            ImageError: If it cannot be used.
        """

    @abstractmethod
    def describe(self, images_NHW: UInt8Array) -> list[A]:
        """Return an answer for each prepared image."""

    def answer(self, images: Sequence[bytes]) -> list[A]:
        """Return an answer for each encoded image."""
        prepared = [self._prepare_or_refuse(image) for image in images]
        usable = [each for each in prepared if isinstance(each, np.ndarray)]
        answers = iter(self.describe(np.stack(usable)) if usable else ())
        return [next(answers) if isinstance(each, np.ndarray) else each for each in prepared]

    def recognise(
        self, images: "pd.Series", _explain: object = None, _source: object = None
    ) -> "pd.DataFrame":
        """Return the answers for a column of encoded images, as a table."""
        import pandas as pd

        answers = [answer.model_dump() for answer in self.answer(images.tolist())]
        columns = list(self.answer_model.model_fields)
        return pd.DataFrame(answers, columns=columns, index=images.index)

    def _prepare_or_refuse(self, image: bytes) -> UInt8Array | A:
        try:
            return self.prepare(image)
        except ImageError as error:
            return self.answer_model(error=error.code, error_detail=str(error))
