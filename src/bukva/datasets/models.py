"""What training keeps: its weights and its checkpoints."""

import hashlib
import json
from typing import NoReturn

import numpy as np
from safetensors.numpy import load, save

from bukva.core.training.checkpoint import CheckpointStore
from bukva.datasets.files import FileDataset
from bukva.datasets.storage import Files
from bukva.errors import ModelFormatError, StorageError
from bukva.tasks.glyph.trained import ModelSpec, TrainedModel


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
