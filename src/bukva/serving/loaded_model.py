"""One version of the packaged model in memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bukva.errors import ModelError
from bukva.serving.schemas import ServedModel


@dataclass(frozen=True)
class LoadedModel:
    """One version of the packaged model, ready to be called from any thread."""

    identity: ServedModel
    pyfunc: Any  # mlflow.pyfunc.PyFuncModel, which is imported late and has no types

    def predict(self, images: Sequence[bytes]) -> list[dict[str, Any]]:
        """One row (column -> value) for each encoded image, in their order; missing is None.

        Raises:
            ModelError: If there are not as many rows as images.
        """
        import pandas as pd

        answer = self.pyfunc.predict(pd.DataFrame({"image": list(images)}))
        if len(answer) != len(images):
            raise ModelError(f"Expected {len(images)} rows from the model, got {len(answer)}.")
        columns = list(answer.columns)
        # `to_dict` costs as much as the network does.
        return [
            {
                column: None if _is_missing(value) else value
                for column, value in zip(columns, row, strict=True)
            }
            for row in answer.to_numpy(dtype=object)
        ]


def _is_missing(value: object) -> bool:
    """Return whether pandas means nothing: None, NaN or NA, as the type of a column pleases."""
    import pandas as pd

    return value is pd.NA or (isinstance(value, float) and value != value)  # noqa: PLR0124
