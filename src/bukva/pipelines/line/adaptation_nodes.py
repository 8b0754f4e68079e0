"""Nodes that teach a model lines of one's own.

Shapes: N lines or characters, H x W pixels of a line, S x S of a character.
"""

from typing import Any

import numpy as np
import pandas as pd

from bukva.core.arrays import UInt8Array
from bukva.core.networks import NetworkWeights
from bukva.core.samples import of_split
from bukva.core.training.checkpoint import CheckpointStore
from bukva.core.training.fit import OnEpoch
from bukva.pipelines.line.nodes import assemble
from bukva.registry.packaging import Package
from bukva.tasks.line.adaptation import Samples, Start, adapt, make_held
from bukva.tasks.line.characters import Characters, collect_characters
from bukva.tasks.line.evaluation.before_after import FORMER, draw, read_twice, score_gain, to_table
from bukva.tasks.line.own_lines import OWN, Folder, deal, read_own_lines
from bukva.tasks.line.parameters import DataParameters
from bukva.tasks.line.recogniser import LineRecogniser
from bukva.tasks.line.sentences import own_texts
from bukva.tasks.line.training import Source, Trained
from bukva.tasks.line.training_parameters import AdaptationParameters, EvaluationParameters

Results = dict[str, Any]


def gather_own(
    folder: Folder, parameters: AdaptationParameters
) -> tuple[pd.DataFrame, UInt8Array, Results]:
    """Return the lines of a folder, dealt out to splits, and a report of what cannot be used."""
    own = read_own_lines(folder)
    seed = parameters.training.seed
    split = deal(own.table, parameters.valid_share, parameters.test_share, seed)
    train = split.index[split.eq("train")]
    too_many = np.random.default_rng(seed).permutation(train)[parameters.most_lines :]
    split[too_many] = "drop"
    counts = {str(name): int(count) for name, count in split.value_counts().items()}
    return own.table.assign(split=split), own.images_NHW, own.report() | {"splits": counts}


def to_source(
    texts: pd.DataFrame | None,
    character_table: pd.DataFrame | None,
    character_images_NSS: UInt8Array | None,
    data: DataParameters,
) -> Source:
    """Return what lines are made of: what data processing left, or what the project brings."""
    if texts is None or character_table is None or character_images_NSS is None:
        return Source(own_texts(), collect_characters({}, data), data)
    return Source(texts, Characters(character_table, character_images_NSS), data)


def teach(  # noqa: PLR0913, PLR0917 - Kedro names each input
    own_table: pd.DataFrame,
    own_images_NHW: UInt8Array,
    model: LineRecogniser,
    weights: NetworkWeights,
    known_table: pd.DataFrame | None,
    known_images_NHW: UInt8Array | None,
    source: Source,
    parameters: AdaptationParameters,
    checkpoints: CheckpointStore,
    epoch_metrics: OnEpoch,
) -> Trained:
    """Return recogniser, history and weights: see `adapt`."""
    own = Samples(own_table, own_images_NHW)
    known = _to_known(known_table, known_images_NHW)
    start = Start(model, weights)
    return adapt(own, start, known, source, parameters, checkpoints, epoch_metrics)


def measure(  # noqa: PLR0913, PLR0917 - Kedro names each input
    before: LineRecogniser,
    after: LineRecogniser,
    own_table: pd.DataFrame,
    own_images_NHW: UInt8Array,
    known_table: pd.DataFrame | None,
    known_images_NHW: UInt8Array | None,
    source: Source,
    parameters: AdaptationParameters,
    evaluation: EvaluationParameters,
) -> tuple[pd.DataFrame, Results]:
    """Return what both read of lines kept aside, of the own ones and of the former tests."""
    own = of_split(own_table, own_images_NHW, "test")
    known = _to_known(known_table, known_images_NHW)
    if known is not None:
        former = draw(*of_split(known.table, known.images_NHW, "test"), parameters.measured_lines)
    else:
        made = make_held(source, parameters.measured_lines, "test")
        former = made.table, made.images_NHW
    results: Results = {"model.onnx_sha256": after.sha256, "model.weights": after.spec["weights"]}
    tables = []
    for scope, (table, images_NHW) in {OWN: own, FORMER: former}.items():
        first, last = read_twice(before, after, table, images_NHW)
        results |= score_gain(scope, first, last, evaluation.resamples)
        tables.append(to_table(first, last).assign(scope=scope))
    return pd.concat(tables, ignore_index=True), results


def assemble_adapted(
    recogniser: LineRecogniser,
    results: Results,
    own_table: pd.DataFrame,
    own_images_NHW: UInt8Array,
    known_table: pd.DataFrame | None,
    known_images_NHW: UInt8Array | None,
) -> Package:
    """Put together a candidate as any other is: it is judged by the former tests, where there are.

    Without them nothing but own lines was read, and so it says.
    """
    known = _to_known(known_table, known_images_NHW)
    tested = known or Samples(own_table, own_images_NHW)
    return assemble(recogniser, results, *tested)


def _to_known(table: pd.DataFrame | None, images_NHW: UInt8Array | None) -> Samples | None:
    if table is None or images_NHW is None:
        return None
    return Samples(table, images_NHW)
