"""The database of studies, which a search works with while it runs."""

from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from bukva.datasets.files import ReadOnlyDataset


class StudiesDataset(ReadOnlyDataset[str]):
    """Gives the address of the database in which studies are kept.

    An SQLite file, unless `url` names a database that several machines reach. A password need not
    stand in it: PostgreSQL's client takes it from PGPASSWORD or ~/.pgpass.
    """

    written_by = "the search writes to the database, run the pipeline tuning"

    def __init__(
        self, *, filepath: str, url: str | None = None, metadata: dict[str, Any] | None = None
    ) -> None:
        self._filepath = filepath
        self._url = url
        self.metadata = metadata

    def load(self) -> str:
        """Return the address, as SQLAlchemy spells it; the folder of the file is made."""
        if self._url:
            return self._url
        Path(self._filepath).parent.mkdir(parents=True, exist_ok=True)
        return f"sqlite:///{self._filepath}"

    def _describe(self) -> dict[str, Any]:
        if self._url:
            return {"url": make_url(self._url).render_as_string(hide_password=True)}
        return {"filepath": self._filepath}
