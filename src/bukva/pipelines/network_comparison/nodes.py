"""Nodes of `network_comparison`.

Shapes: N samples, H x W pixels.
"""

import hashlib
from functools import partial

import pandas as pd

from bukva.charset import DIGITS
from bukva.data.samples import UInt8Array
from bukva.datasets.kept import KeptTables
from bukva.evaluation.metrics import per_class_report
from bukva.models.registry import build_network
from bukva.parameters import NetworkComparisonParameters, PackagingParameters
from bukva.pipelines.network_comparison.measurement import (
    COLUMNS,
    Measurement,
    measure_network,
    measure_tree,
    select_digits,
)


def grow_tree(
    table: pd.DataFrame, images_NHW: UInt8Array, parameters: NetworkComparisonParameters
) -> tuple[Measurement, pd.DataFrame]:
    """Measure a decision tree; return its row of the table and its report by digit."""
    training = parameters.training
    digits = select_digits(table, images_NHW, training.corpora)
    measurement, predictions = measure_tree(digits, training.seed, parameters.latency_calls)
    return measurement, per_class_report(predictions).drop(columns="case_accuracy")


def compare_networks(
    tree: Measurement,
    table: pd.DataFrame,
    images_NHW: UInt8Array,
    parameters: NetworkComparisonParameters,
    packaging: PackagingParameters,
    kept: KeptTables,
) -> pd.DataFrame:
    """Train and measure each network that is not kept; return a row each, the tree's first.

    Raises:
        ParameterError: If no network has such a name; before the first one is trained.
    """
    for compared in parameters.networks:
        build_network(compared.network, len(DIGITS))
    digits = select_digits(table, images_NHW, parameters.training.corpora)
    rows = [pd.DataFrame([tree])]
    for compared in parameters.networks:
        training = parameters.training_of(compared)
        measure = partial(
            measure_network, compared.name, digits, training, packaging.opset,
            parameters.latency_calls,
        )  # fmt: skip
        key = _name_of(compared.name, digits.digest(), training.model_dump_json(), packaging.opset)
        rows.append(kept.recall(key, measure))
    return pd.concat(rows, ignore_index=True)[list(COLUMNS)]


def _name_of(network: str, *decisive: object) -> str:
    """Return a name that changes with everything that decides a measurement."""
    digest = hashlib.sha256("\n".join(map(str, decisive)).encode()).hexdigest()
    return f"{network}-{digest[:16]}"
