"""A trained model as `*.safetensors` and `*.json`: weights and their specification."""

import hashlib
import json

from safetensors.numpy import load, save

from bukva.datasets.file import FileDataset
from bukva.errors import ModelFormatError
from bukva.models.trained import ModelSpec, TrainedModel


class TrainedModelDataset(FileDataset[TrainedModel]):
    """Loads and saves weights with their specification; `filepath` names the weights.

    The specification is written last and holds the digest of the weights, so that a kill between
    the two files is seen when they are read.
    """

    def load(self) -> TrainedModel:
        """Return the model.

        Raises:
            ModelFormatError: If the two files do not belong together.
        """
        packed, document = self.read_bytes(), json.loads(self.read_bytes(".json"))
        found, expected = hashlib.sha256(packed).hexdigest(), document.pop("weights_file_sha256")
        if found != expected:
            message = (
                f"Expected weights with sha256 {expected} in {self._filepath}, got {found}: the "
                "file and its .json do not belong together. Train the model again."
            )
            raise ModelFormatError(message)
        return TrainedModel(load(packed), ModelSpec.model_validate(document))

    def save(self, data: TrainedModel) -> None:
        """Write the weights, then the specification."""
        packed = save(dict(data.weights))
        document = data.spec.model_dump(mode="json")
        document["weights_file_sha256"] = hashlib.sha256(packed).hexdigest()
        self.write_bytes(packed)
        self.write_bytes(json.dumps(document, ensure_ascii=False, indent=2).encode(), ".json")
