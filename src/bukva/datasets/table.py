"""Tables of any length, as Parquet."""

from itertools import chain
from typing import Any, Final

import pandas as pd
import pyarrow.parquet as pq

from bukva.core.scratch import BLOCK_ROWS
from bukva.core.scratch_table import gather_blocks
from bukva.datasets.files import ParquetDataset

_ROW_GROUP_ROWS: Final = 8 * BLOCK_ROWS
_READ_AHEAD_BYTES: Final = 2**20


class LongTableDataset(ParquetDataset):
    """Saves a table as `ParquetDataset` does, and loads it into mapped files, a block at a time.

    From S3 it is fetched whole: columns read side by side would be asked for over and over.
    """

    def __init__(self, *, filepath: str, **dataset_args: Any) -> None:
        save_args = {"index": False, "row_group_size": _ROW_GROUP_ROWS}
        super().__init__(filepath=filepath, save_args=save_args, **dataset_args)

    def load(self) -> pd.DataFrame:
        """Return the table, its rows numbered from 0; what is changed in it stays in memory."""
        with (
            self.beside().fetched() as path,
            pq.ParquetFile(path, buffer_size=_READ_AHEAD_BYTES, pre_buffer=False) as file,
        ):
            blocks = chain([file.schema_arrow.empty_table()], file.iter_batches(BLOCK_ROWS))
            return gather_blocks(block.to_pandas() for block in blocks)
