"""The model registry as datasets: the candidate, the model in production, and the decision."""

from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError

from bukva.model_registry import registry
from bukva.model_registry.registry import PackagedModel


class CandidateModelDataset(AbstractDataset[NoReturn, PackagedModel]):
    """Loads the model that was packaged last."""

    def __init__(self, *, model_name: str, metadata: dict[str, Any] | None = None) -> None:
        self._model_name = model_name
        self.metadata = metadata

    def load(self) -> PackagedModel:
        """Return it, its recogniser included."""
        return registry.find_candidate(self._model_name)

    def save(self, data: NoReturn) -> NoReturn:  # noqa: ARG002 - the name is Kedro's
        """Refuse: kedro-mlflow logs the model when `packaging` ends."""
        raise DatasetError("CandidateModelDataset is read-only: run the pipeline packaging.")

    def _describe(self) -> dict[str, Any]:
        return {"model_name": self._model_name}


class ProductionModelDataset(AbstractDataset[dict[str, Any], PackagedModel | None]):
    """Loads the version in production; saves a decision by registering and promoting."""

    def __init__(
        self, *, model_name: str, alias: str, metadata: dict[str, Any] | None = None
    ) -> None:
        self._model_name = model_name
        self._alias = alias
        self.metadata = metadata

    def load(self) -> PackagedModel | None:
        """Return the version with the alias, None if there is none."""
        return registry.find_production(self._model_name, self._alias)

    def save(self, data: dict[str, Any]) -> None:
        """Carry a decision of the pipeline `promotion` out."""
        if data["is_known"]:
            return
        candidate = registry.find_candidate(self._model_name)
        version = registry.register(candidate, self._model_name, data["tags"], data["dossier"])
        if data["is_promoted"]:
            registry.move_alias(self._model_name, self._alias, version)

    def _describe(self) -> dict[str, Any]:
        return {"model_name": self._model_name, "alias": self._alias}
