"""What is read from columns of the sample table, without what checks it (`bukva.data.schema`)."""

import numpy as np
import pandas as pd

from bukva import charset
from bukva.data.preprocessing import PAGE_FEATURES
from bukva.data.samples import Float32Array


def is_symbol(table: pd.DataFrame) -> pd.Series:
    """Return whether each sample shows a symbol: what shows none is only there to be refused."""
    return table["label"].ne(charset.NO_SYMBOL)


def page_features(table: pd.DataFrame) -> Float32Array:
    """Return the page features of samples, float32 `(N, 4)`, NaN where the page is not known."""
    return table[list(PAGE_FEATURES)].to_numpy(dtype=np.float32)
