"""Readers of corpora: contents of files in, labelled images out.

A reader passes an image on as the corpus holds it, broken or not: who decodes it counts the
unreadable ones. It raises `CorpusCorruptError` only where nothing can be read: an archive that does
not open, a table that is missing, parts that do not belong together.
"""

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Final

from bukva.core.corpora.comnist import read_comnist
from bukva.core.corpora.cyrillic_mnist import read_cyrillic_mnist
from bukva.core.corpora.idx import read_emnist, read_mnist
from bukva.core.corpora.labelled import read_labelled_parquet, read_labelled_table
from bukva.core.corpora.lines import (
    read_french_hands,
    read_print_and_hand,
    read_tapuscorpus,
    read_testaments,
)
from bukva.core.corpora.rukopys import read_rukopys
from bukva.core.corpora.texts import read_ukrainian_text
from bukva.core.samples import CorpusReader

READERS: Final[Mapping[str, CorpusReader]] = MappingProxyType(
    {
        "mnist": read_mnist,
        "emnist": read_emnist,
        "rukopys": read_rukopys,
        "comnist": read_comnist,
        "cyrillic_mnist": read_cyrillic_mnist,
        "print_and_hand": read_print_and_hand,
        "tapuscorpus": read_tapuscorpus,
        "testaments": read_testaments,
        "french_hands": read_french_hands,
        "ukrainian_text": read_ukrainian_text,
        "labelled_parquet": read_labelled_parquet,
        "handwritten_parquet": partial(read_labelled_parquet, only="handwritten"),
        "printed_parquet": partial(read_labelled_parquet, only="printed"),
        "labelled_table": read_labelled_table,
    }
)
"""Readers by the name that the manifest gives them."""

__all__ = ["READERS"]
