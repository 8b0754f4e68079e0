"""A trained model as `*.safetensors` and `*.json`: weights and their specification."""

import hashlib
import json

from safetensors.numpy import load, save

from bukva.datasets.file import FileDataset
from bukva.errors import ModelFormatError, StorageError
from bukva.models.trained import ModelSpec, TrainedModel


class TrainedModelDataset(FileDataset[TrainedModel]):
    """Loads and saves weights with their specification; `filepath` names the weights.

    The specification is written last and holds the digest of the weights, so that a kill between
    the two files is seen when they are read.
    """

    def load(self) -> TrainedModel:
        """Return the model.

        Raises:
            ModelFormatError: If a file is missing or broken, or the two do not belong together.
            StorageError: If the store cannot be used.
        """
        packed, spec, expected = self._read()
        found = hashlib.sha256(packed).hexdigest()
        if found != expected:
            message = (
                f"Expected weights with sha256 {expected} in {self._filepath}, got {found}: the "
                "file and its .json do not belong together. Train the model again."
            )
            raise ModelFormatError(message)
        return TrainedModel(load(packed), spec)

    def _read(self) -> tuple[bytes, ModelSpec, str]:
        """Return the weights' file, the specification, and the digest that it expects."""
        try:
            packed, document = self.read_bytes(), json.loads(self.read_bytes(".json"))
            expected = str(document.pop("weights_file_sha256"))
            return packed, ModelSpec.model_validate(document), expected
        except StorageError:
            raise
        except (OSError, ValueError, KeyError) as error:
            message = (
                f"Expected a trained model in {self._filepath} and its specification in "
                f"{self._filepath.with_suffix('.json').name} beside it, got: {error!r}. Run the "
                "training stage that makes it."
            )
            raise ModelFormatError(message) from error

    def save(self, data: TrainedModel) -> None:
        """Write the weights, then the specification."""
        packed = save(dict(data.weights))
        document = data.spec.model_dump(mode="json")
        document["weights_file_sha256"] = hashlib.sha256(packed).hexdigest()
        self.write_bytes(packed)
        self.write_bytes(json.dumps(document, ensure_ascii=False, indent=2).encode(), ".json")
