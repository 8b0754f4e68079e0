"""What training keeps: its weights and its checkpoints."""

import hashlib
import io
import json
import logging
from collections.abc import Mapping
from typing import Any, Final, NoReturn

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load, save

from bukva.core.networks import NetworkWeights
from bukva.core.predictor import SPEC_KEY
from bukva.core.training.checkpoint import CheckpointStore
from bukva.datasets.files import FileDataset, ReadOnlyDataset
from bukva.datasets.storage import Files
from bukva.errors import ModelFormatError, StorageError
from bukva.tasks.glyph.trained import ModelSpec, TrainedModel
from bukva.tasks.line.language_model import LanguageModel

_logger: Final = logging.getLogger(__name__)


class TrainedModelDataset(FileDataset[TrainedModel]):
    """Weights as `*.safetensors`, which `filepath` names, and their specification as `*.json`.

    The specification is written last and holds two digests: of the file of weights, so that a kill
    between the two files is seen, and of their values, so that it is seen if the format lost any.
    """

    def load(self) -> TrainedModel:
        """Return the model.

        Raises:
            ModelFormatError: If a file is missing or broken, or the two do not belong together.
            StorageError: If the store cannot be used.
        """
        try:
            packed = self.beside().read()
            document = json.loads(self.beside(".json").read())
            expected = str(document.pop("weights_file_sha256"))
            # Not written by former versions.
            values = document.pop("weights_sha256", None)
            spec = ModelSpec.model_validate(document)
        except StorageError:
            raise
        except (OSError, ValueError, KeyError) as error:
            message = (
                f"Expected a trained model in {self._filepath} and its specification in "
                f"{self._filepath.with_suffix('.json').name} beside it, got: {error!r}. Run the "
                "training stage that makes it."
            )
            raise ModelFormatError(message) from error
        found = hashlib.sha256(packed).hexdigest()
        if found != expected:
            message = (
                f"Expected weights with sha256 {expected} in {self._filepath}, got {found}: the "
                "file and its .json do not belong together. Train the model again."
            )
            raise ModelFormatError(message)
        model = TrainedModel(load(packed), spec)
        if values not in (None, model.digest()):
            message = (
                f"Expected weights whose values have the sha256 {values} in {self._filepath}, got "
                f"{model.digest()}: they were changed on their way through the file. Install the "
                "version of safetensors that constraints.txt names, and train the model again."
            )
            raise ModelFormatError(message)
        return model

    def save(self, data: TrainedModel) -> None:
        """Write the weights, then the specification."""
        # safetensors 0.8 writes the memory of an array in its order, whatever its strides say.
        weights = {name: np.asarray(values, order="C") for name, values in data.weights.items()}
        packed = save(weights)
        document = data.spec.model_dump(mode="json")
        document["weights_file_sha256"] = hashlib.sha256(packed).hexdigest()
        document["weights_sha256"] = data.digest()
        self.beside().write(packed)
        described = json.dumps(document, ensure_ascii=False, indent=2)
        self.beside(".json").write(described.encode())


class NetworkWeightsDataset(FileDataset[NetworkWeights]):
    """Weights as one `*.safetensors` file, their specification in its metadata."""

    def load(self) -> NetworkWeights:
        """Return weights and specification.

        Raises:
            ModelFormatError: If the file is missing or broken, or not one of bukva's.
        """
        try:
            with self.beside().fetched() as path, safe_open(str(path), framework="numpy") as file:
                names = file.keys()  # it is no mapping
                weights = {name: file.get_tensor(name) for name in names}
                spec = json.loads(file.metadata()[SPEC_KEY])
        except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
            message = f"Expected weights with a specification in {self._filepath}, got: {error!r}."
            raise ModelFormatError(f"{message} Run the training stage that makes it.") from error
        return NetworkWeights(weights, spec)

    def save(self, data: NetworkWeights) -> None:
        """Write the file."""
        # safetensors 0.8 writes the memory of an array in its order, whatever its strides say.
        weights = {name: np.asarray(values, order="C") for name, values in data.weights.items()}
        described = json.dumps(dict(data.spec), ensure_ascii=False)
        self.beside().write(save(weights, metadata={SPEC_KEY: described}))


class LanguageModelDataset(FileDataset[LanguageModel]):
    """The language model of lines as one file, which tells what was counted."""

    def load(self) -> LanguageModel:
        """Return the language model.

        Raises:
            ModelFormatError: If the file is something else.
        """
        return LanguageModel.from_bytes(self.beside().read())

    def save(self, data: LanguageModel) -> None:
        """Write the file."""
        self.beside().write(data.to_bytes())


class PretrainedDataset(ReadOnlyDataset[Mapping[str, NDArray[Any]] | None]):
    """Weights of another training, as an `.npz` file that need not be there.

    Args:
        filepath: Path or address of the file.
        sha256: Its checksum.
        metadata: For other tools, such as kedro-viz; not used here.
    """

    written_by = "fetch it, or go without (docs/document.md)"

    def __init__(
        self, *, filepath: str, sha256: str, metadata: dict[str, Any] | None = None
    ) -> None:
        self._filepath, self._sha256 = filepath, sha256
        self.metadata = metadata

    def load(self) -> Mapping[str, NDArray[Any]] | None:
        """Return the arrays by name, None where there is no file.

        Raises:
            ModelFormatError: If it is another file.
        """
        file = Files(self._filepath)
        if not file.exists():
            _logger.warning("There is no %s: what it would start from starts at random.", file.path)
            return None
        content = file.read()
        found = hashlib.sha256(content).hexdigest()
        if found != self._sha256:
            message = f"Expected weights with sha256 {self._sha256} in {file.path}, got {found}"
            raise ModelFormatError(f"{message}: take the file that docs/document.md names.")
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return {name: np.ascontiguousarray(arrays[name]) for name in arrays.files}

    def _exists(self) -> bool:
        return Files(self._filepath).exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath}


class _FileStore:
    """One file that is read and written while a node runs, which a value could not be."""

    def __init__(self, file: Files) -> None:
        self._file = file

    def load(self) -> bytes | None:
        return self._file.read() if self._file.exists() else None

    def save(self, state: bytes) -> None:
        self._file.write(state)

    def clear(self) -> None:
        self._file.remove()


class CheckpointDataset(FileDataset[CheckpointStore]):
    """Gives the node of a training stage the store of its checkpoints."""

    def load(self) -> CheckpointStore:
        """Return the store; whether anything is in it does not matter."""
        return _FileStore(self.beside())

    def save(self, data: CheckpointStore) -> NoReturn:
        """Refuse: the node writes through the store."""
        raise NotImplementedError("Expected the node to save through the loaded store.")
