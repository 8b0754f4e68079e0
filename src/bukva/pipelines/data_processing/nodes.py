"""Nodes of `data_processing`.

Shapes: N samples, H x W pixels.
"""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bukva.core.arrays import BoolArray, UInt8Array
from bukva.core.corpora.manifest import parse_manifest
from bukva.core.corpora.sklearn_digits import read_sklearn_digits
from bukva.core.corrections import FEEDBACK
from bukva.core.duplicates import duplicate_report, find_copies, find_duplicates
from bukva.core.samples import LazyCorpora
from bukva.core.scratch import take_rows
from bukva.core.scratch_table import gather_blocks, iterate_blocks
from bukva.core.splits import IntArray, Policy, assign_splits
from bukva.errors import ParameterError
from bukva.tasks.glyph.collection import collect_samples
from bukva.tasks.glyph.corpora import read_glyphs
from bukva.tasks.glyph.embedded import EMBEDDED_CORPORA, draw_letters_and_digits
from bukva.tasks.glyph.figures.samples import (
    plot_class_counts,
    plot_ink_statistics,
    plot_sample_sheet,
)
from bukva.tasks.glyph.font_letters import FONTS, draw_font_letters
from bukva.tasks.glyph.nonsymbols.collection import add_nonsymbols, split_count
from bukva.tasks.glyph.parameters import DataProcessingParameters, EmbeddedParameters
from bukva.tasks.glyph.photographed import add_photographs
from bukva.tasks.glyph.published import published_names
from bukva.tasks.glyph.table import count_samples, tabulate


def collect(
    corpora: LazyCorpora,
    published_split: pd.DataFrame | None,
    embedded: EmbeddedParameters,
    parameters: DataProcessingParameters,
) -> tuple[pd.DataFrame, UInt8Array, pd.DataFrame, pd.DataFrame]:
    """Read and preprocess the public corpora and the embedded ones."""
    published = {} if published_split is None else published_names(published_split, "test")
    glyphs = {name: partial(read_glyphs, name, read) for name, read in corpora.items()}
    return collect_samples(
        _embedded_corpora(embedded) | glyphs, published, parameters.max_corrupt_share
    )


def _embedded_corpora(embedded: EmbeddedParameters) -> LazyCorpora:
    corpora: LazyCorpora = {}
    if embedded.with_digits:
        corpora["digits"] = read_sklearn_digits
    if embedded.samples_per_symbol:
        corpora["strokes"] = partial(
            draw_letters_and_digits, embedded.samples_per_symbol, embedded.seed
        )
    if embedded.font_samples_per_symbol:
        corpora[FONTS] = partial(draw_font_letters, embedded.font_samples_per_symbol, embedded.seed)
    return corpora


def split(
    table: pd.DataFrame,
    images_NHW: UInt8Array,
    corpora_manifest: dict[str, Any],
    parameters: DataProcessingParameters,
) -> tuple[pd.DataFrame, UInt8Array, dict[str, int]]:
    """Decide the splits; drop what would leak from one into another.

    Feedback is trained on and changes nothing else: whatever comes in, the other samples stay
    where they are.

    Raises:
        ParameterError: If feedback is to be tested on.
    """
    _refuse_unseen_feedback(parameters)
    policies: dict[str, Policy] = dict.fromkeys(EMBEDDED_CORPORA, "stratified")
    policies[FONTS] = "own"
    policies |= {name: entry.split for name, entry in parse_manifest(corpora_manifest).items()}
    policies |= dict.fromkeys(parameters.unseen, "unseen")
    policies[FEEDBACK] = "taught"
    is_feedback_N = table["corpus"].eq(FEEDBACK).to_numpy()
    table = table.assign(
        cluster=_cluster_apart(table, images_NHW, is_feedback_N, parameters.duplicate_cosine)
    )
    table["split"] = assign_splits(
        table,
        policies,
        valid_share=parameters.valid_share,
        test_share=parameters.test_share,
        seed=parameters.seed,
    )
    table.loc[_find_leaks(images_NHW, is_feedback_N, parameters.duplicate_cosine), "split"] = "drop"
    kept_images_NHW = take_rows(images_NHW, table["split"].ne("drop").to_numpy())
    return _drop_split(table), kept_images_NHW, duplicate_report(table)


def _drop_split(table: pd.DataFrame) -> pd.DataFrame:
    """Return what is not dropped, without what only decided that."""
    return gather_blocks(
        block[block["split"].ne("drop")].drop(columns=["own_split", "cluster"])
        for block in iterate_blocks(table)
    )


def _refuse_unseen_feedback(parameters: DataProcessingParameters) -> None:
    if FEEDBACK in parameters.unseen:
        raise ParameterError(
            f"Expected corpora to test on in data_processing.unseen, got {FEEDBACK}, which is "
            "only ever trained on: take it out of `unseen` in conf/<env>/globals.yml."
        )


def _cluster_apart(
    table: pd.DataFrame, images_NHW: UInt8Array, is_feedback_N: BoolArray, cosine: float
) -> IntArray:
    """Return the cluster of each sample; each drawing of feedback has one of its own."""
    others = gather_blocks(
        block.loc[block["corpus"].ne(FEEDBACK), ["label", "sha256"]]
        for block in iterate_blocks(table)
    )
    clusters_N = len(table) + np.arange(len(table))
    clusters_N[~is_feedback_N] = find_duplicates(
        take_rows(images_NHW, ~is_feedback_N), others["label"], others["sha256"], cosine
    )
    return clusters_N


def _find_leaks(images_NHW: UInt8Array, is_feedback_N: BoolArray, cosine: float) -> BoolArray:
    """Return `(N,)`, whether a sample is feedback that another corpus, perhaps a test, holds."""
    is_leak_N = is_feedback_N.copy()
    is_leak_N[is_feedback_N] = find_copies(
        images_NHW[is_feedback_N], take_rows(images_NHW, ~is_feedback_N), cosine
    )
    return is_leak_N


def add_outliers(
    table: pd.DataFrame, images_NHW: UInt8Array, parameters: DataProcessingParameters
) -> tuple[pd.DataFrame, UInt8Array]:
    """Add pages that show no symbol, some put together from the symbols of their split; photos."""
    counts = split_count(
        parameters.nonsymbols_per_kind, parameters.valid_share, parameters.test_share
    )
    table, images_NHW = add_nonsymbols(table, images_NHW, counts, parameters.seed)
    per_symbol = parameters.photographs_per_symbol
    return add_photographs(table, images_NHW, per_symbol, parameters.seed)


def report(
    table: pd.DataFrame, rejected: pd.DataFrame, duplicates: dict[str, int]
) -> dict[str, Any]:
    """Say what there is, what was rejected and what was dropped as duplicates."""
    counts = count_samples(table)
    is_upper = counts["is_uppercase"].fillna(value=False)
    symbols = counts["label"].where(~is_upper, counts["label"].str.upper())
    return {
        "samples": tabulate(counts, "corpus", "split").to_dict(orient="index"),
        "duplicates": duplicates,
        "rejected": rejected.to_dict(orient="records"),
        "symbols": tabulate(counts, "corpus", symbols).to_dict(orient="index"),
    }


def draw_figures(table: pd.DataFrame, images_NHW: UInt8Array) -> tuple[Figure, Figure, Figure]:
    """Draw class counts, a sheet of samples and statistics of the ink."""
    return (
        plot_class_counts(table),
        plot_sample_sheet(images_NHW, table, seed=0),
        plot_ink_statistics(images_NHW, table),
    )
