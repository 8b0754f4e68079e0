"""What tables must have before anything is read from them."""

import pandas as pd

from bukva.errors import TableError


def require_columns(table: pd.DataFrame, columns: tuple[str, ...]) -> None:
    """Refuse a table without all of `columns`.

    Raises:
        TableError: Naming the columns that are missing and those that are there.
    """
    missing = [column for column in columns if column not in table]
    if missing:
        message = f"Expected the columns {list(columns)}, missing {missing}: got {list(table)}."
        raise TableError(message)
