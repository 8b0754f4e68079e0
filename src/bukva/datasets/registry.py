"""Models in MLflow as datasets: what is packaged, registered, in production; what becomes of it."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError
from kedro.utils import load_obj
from mlflow.tracking import MlflowClient

from bukva.datasets.files import ReadOnlyDataset, RecogniserDataset
from bukva.registry import models, registry
from bukva.registry.models import PackagedModel
from bukva.registry.package_files import CANDIDATE_ALIAS, RECOGNISER_FILE
from bukva.registry.packaging import Package, log_package
from bukva.registry.production import put_into_production
from bukva.registry.registry import Registration, verify
from bukva.tasks.glyph.batch import AnsweringModel
from bukva.tasks.glyph.recogniser import Recogniser


class _OfModel(AbstractDataset[Any, Any]):
    """What belongs to the registered model of a name."""

    def __init__(self, *, model_name: str, metadata: dict[str, Any] | None = None) -> None:
        self._model_name = model_name
        self.metadata = metadata

    def _describe(self) -> dict[str, Any]:
        return {"model_name": self._model_name}


class PackagedModelsDataset(_OfModel):
    """Saves a package by logging it as a pyfunc; loads all that were logged, the last one first.

    Args:
        inference: The function that makes the pipeline from images to answers, by its full name.
        common: The name under which they are logged, `model_name`, and `metadata`.
    """

    def __init__(self, *, inference: str, **common: Any) -> None:
        super().__init__(**common)
        self._inference = inference

    def load(self) -> list[PackagedModel]:
        """Return them; their files are fetched when they are needed."""
        return models.list_packaged(self._model_name)

    def save(self, data: Package) -> None:
        """Log it, as part of the active run if there is one."""
        inference = load_obj(self._inference)()
        with TemporaryDirectory() as folder:
            file = RecogniserDataset(filepath=str(Path(folder) / RECOGNISER_FILE))
            file.save(data.recogniser)
            log_package(data, file, inference, self._model_name)


class RegisteredModelsDataset(_OfModel, ReadOnlyDataset[dict[str, PackagedModel]]):
    """Loads the versions of a registered model, by number and by alias."""

    written_by = "run the pipeline promotion"

    def load(self) -> dict[str, PackagedModel]:
        """Return them; their files are fetched when they are needed."""
        return models.list_versions(self._model_name)


class RegistrationDataset(_OfModel):
    """Saves a decision by carrying it out: a model is registered, and put into production."""

    def load(self) -> NoReturn:
        """Refuse: what was registered is in the registry."""
        raise DatasetError("RegistrationDataset is write-only: load registered_models.")

    def save(self, data: Registration) -> None:
        """Register the model, and promote it if that was decided."""
        model = data.model
        if not model.version:
            model = registry.register(model, self._model_name)
        if data.is_promoted:
            put_into_production(
                self._model_name, model.version, expected=data.production_version, why=data.reason
            )
        elif model.version != data.production_version:
            client = MlflowClient()
            client.set_registered_model_alias(self._model_name, CANDIDATE_ALIAS, model.version)


class AnsweringModelDataset(_OfModel, ReadOnlyDataset[AnsweringModel]):
    """Loads the model that answers: a registered version, checked as a service does, or a file.

    Args:
        reference: A version or alias of the registered model; `local` for the file.
        filepath: What the last `packaging` left on this machine.
        common: `model_name` and `metadata`.
    """

    written_by = "run the pipelines packaging and promotion"

    def __init__(self, *, reference: str | int, filepath: str, **common: Any) -> None:
        super().__init__(**common)
        self._reference = str(reference)
        self._file = RecogniserDataset(filepath=filepath)
        self._model: AnsweringModel | None = None

    def load(self) -> AnsweringModel:
        """Return it; it is fetched once a run.

        Raises:
            RegistryError: If there is no such version, or its files cannot be read.
            SealError: If its files are not those that were sealed.
        """
        self._model = self._model or self._fetch()
        return self._model

    def _fetch(self) -> AnsweringModel:
        if self._reference == "local":
            return AnsweringModel(self._file.load(), "")
        version = registry.require_version(self._model_name, self._reference)
        verify(version, self._model_name)
        return AnsweringModel(Recogniser(version.onnx_model), version.version)

    def _release(self) -> None:
        self._model = None

    def _describe(self) -> dict[str, Any]:
        return {**super()._describe(), "reference": self._reference}
