"""The sample table: the contract between `data_processing` and everything after it."""

from typing import get_args

import pandas as pd
import pandera.pandas as pa

from bukva.core.corrections import FEEDBACK
from bukva.core.samples import Split
from bukva.core.scratch_table import is_repeated
from bukva.tasks.glyph import charset

SPLITS = get_args(Split)


class SampleTable(pa.DataFrameModel):
    """One row a sample; row i describes image i of the array beside it.

    Checked by the catalog whenever the table is loaded or saved.
    """

    sample_id: str
    corpus: str
    name: str
    label: str = pa.Field(isin=list(charset.CLASSES))
    is_uppercase: pd.BooleanDtype = pa.Field(nullable=True)
    group: str = pa.Field(nullable=True)
    split: str = pa.Field(isin=SPLITS)
    sha256: str = pa.Field(str_matches=r"^[0-9a-f]{64}$")
    is_published: bool
    rel_height: float = pa.Field(nullable=True, gt=0, le=1)
    rel_width: float = pa.Field(nullable=True, gt=0, le=1)
    rel_center_x: float = pa.Field(nullable=True, ge=0, le=1)
    rel_center_y: float = pa.Field(nullable=True, ge=0, le=1)

    class Config:
        """An unknown column is an error."""

        strict = True
        coerce = True

    @pa.check("sample_id")
    @classmethod
    def names_one_sample(cls, sample_id: pd.Series) -> pd.Series:
        """Return whether each id is of one row only; `unique=True` would take 100 bytes a row."""
        return pd.Series(~is_repeated(sample_id), index=sample_id.index)

    @pa.dataframe_check
    @classmethod
    def digits_have_no_case(cls, table: pd.DataFrame) -> pd.Series:
        """Return whether each row's case is null where the label is a digit."""
        is_letter = table["label"].isin(list(charset.LETTERS))
        return is_letter | table["is_uppercase"].isna()

    @pa.dataframe_check
    @classmethod
    def published_samples_are_tests(cls, table: pd.DataFrame) -> pd.Series:
        """Return whether no test sample of the published split is trained on."""
        return ~table["is_published"] | table["split"].eq("test")

    @pa.dataframe_check
    @classmethod
    def feedback_is_trained_on(cls, table: pd.DataFrame) -> pd.Series:
        """Return whether no drawing that a visitor gave is measured on."""
        return table["corpus"].ne(FEEDBACK) | table["split"].eq("train")
