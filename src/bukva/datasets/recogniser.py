"""The recogniser as one ONNX file."""

from bukva.datasets.file import FileDataset
from bukva.inference.recogniser import Recogniser


class RecogniserDataset(FileDataset[Recogniser]):
    """Loads and saves a recogniser. Where kedro-mlflow packages it, the file must be local."""

    def load(self) -> Recogniser:
        """Return the recogniser, ready to be called."""
        return Recogniser(self.read_bytes())

    def save(self, data: Recogniser) -> None:
        """Write the ONNX file."""
        self.write_bytes(data.onnx_model)
