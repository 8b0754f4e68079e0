"""A trained network taught a few lines of one hand, with characters that it does not know.

So that it does not forget other hands, lines that it was trained on, where they are there, and made
ones are learnt again beside the own ones.

Shapes: N lines, H x W pixels, K outputs.
"""

import logging
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from bukva.core.arrays import UInt8Array
from bukva.core.networks import NetworkWeights
from bukva.core.samples import Split
from bukva.core.training.checkpoint import CheckpointStore
from bukva.core.training.device import seeded
from bukva.core.training.fit import OnEpoch, fit
from bukva.errors import ModelFormatError, TrainingError
from bukva.tasks.line.charset import Charset, normalise
from bukva.tasks.line.collection import stack
from bukva.tasks.line.export import HeldLines, export
from bukva.tasks.line.learner import LineLearner, Validation
from bukva.tasks.line.line_maker import LineMaker
from bukva.tasks.line.lines import Lines
from bukva.tasks.line.networks import LineNetwork
from bukva.tasks.line.recogniser import LineRecogniser
from bukva.tasks.line.training import (
    Source,
    Trained,
    build_network,
    chances_of,
    choose_held,
    cut_out,
    hold,
    restore,
)
from bukva.tasks.line.training_parameters import AdaptationParameters, TrainingParameters

_HEADS: Final = ("head", "shortcut")
_SPREAD: Final = 0.02
"""Standard deviation of what tells the rows of new characters from each other at first."""
_LEAST_STEPS: Final = 12
_LEAST_HELD: Final = 100
"""Lines that the search and the confidences are fitted to: too few would fit them to chance."""

_logger = logging.getLogger(__name__)


class Start(NamedTuple):
    """What is gone on from.

    Attributes:
        recogniser: What answers, with its language model.
        weights: Of the same network.
    """

    recogniser: LineRecogniser
    weights: NetworkWeights

    def check(self) -> None:
        """Return if both are of one training.

        Raises:
            ModelFormatError: If not.
        """
        if dict(self.weights.spec) != self.recogniser.spec:
            raise ModelFormatError(
                "Expected weights and recogniser of one training, got two that tell otherwise of "
                "themselves: name the files of one (line.adaptation.model, line.adaptation.weights)"
            )


class Samples(NamedTuple):
    """Lines: own ones, dealt out to splits, or those of the former training.

    Attributes:
        table: Rows as the sample table has them.
        images_NHW: Row-aligned with it, zeros to the right of each line.
    """

    table: pd.DataFrame
    images_NHW: UInt8Array


def adapt(
    own: Samples,
    start: Start,
    known: Samples | None,
    source: Source,
    parameters: AdaptationParameters,
    checkpoints: CheckpointStore | None = None,
    epoch_metrics: OnEpoch | None = None,
) -> Trained:
    """Go on training with own lines; return recogniser, history and weights.

    Args:
        own: What is learnt, what decides which epoch is kept; what is tested is not looked at.
        start: What is gone on from.
        known: What must not be forgotten; None where it is not there.
        source: Of made lines.
        parameters: All that can be set.
        checkpoints: Where the state is kept after each epoch.
        epoch_metrics: Is shown each epoch.

    Raises:
        TrainingError: If there are too few lines.
        ModelFormatError: If weights and recogniser are not of one training.
        CharsetError: If there would be more characters than a language model holds.
    """
    start.check()
    charset = grow_charset(start.recogniser.charset, own.table)
    settings = choose_settings(own.table, start, known, parameters)
    with seeded(parameters.training.seed):
        network = grow(restore(start.weights), start.weights, charset, settings)
    learner = _make_learner(own, known, charset, source, settings, parameters)
    _, history = fit(network, learner, settings, checkpoints=checkpoints, on_epoch=epoch_metrics)
    told = {
        "network": "crnn",
        "parameters": {"training": settings.model_dump(mode="json")},
        "data_fingerprint": learner.digests()[0],
        "adapted_from": start.recogniser.sha256,
        "own_lines": int(own.table["split"].eq("train").sum()),
    }
    language_model = start.recogniser.language_model
    grown = language_model.extend(charset) if language_model else None
    held = _hold_back(own, known, source, settings)
    recogniser = export(network, told, charset, held, grown, settings.decoding)
    weights = {name: value.numpy() for name, value in network.state_dict().items()}
    return Trained(recogniser, history, NetworkWeights(weights, recogniser.spec))


def grow_charset(charset: Charset, own: pd.DataFrame) -> Charset:
    """Return a charset with the characters of own lines to learn from; tells which are new."""
    learnt = normalise(" ".join(own.loc[own["split"].eq("train"), "text"]))
    grown = charset.extend(each for each in learnt if each.isprintable())
    new = grown.characters[len(charset.characters) :]
    if new:
        _logger.info("Characters that the model did not know, and learns: %s", new)
    unknown = grown.find_unknown(own["text"])
    if unknown:
        told = ", ".join(f"{each} ({count})" for each, count in unknown.most_common())
        _logger.warning("In no line that is learnt from, and so not read: %s.", told)
    return grown


def choose_settings(
    own: pd.DataFrame, start: Start, known: Samples | None, parameters: AdaptationParameters
) -> TrainingParameters:
    """Return how it is trained: the sizes of the start, and shares that come out as asked.

    Raises:
        TrainingError: If there are too few lines to learn from.
    """
    count = int(own["split"].eq("train").sum())
    if len(own) < parameters.least_lines or not count:
        raise TrainingError(
            f"Expected at least {parameters.least_lines} lines of one's own that can be used, got "
            f"{len(own)}. What cannot be used, and why: own_lines.json among the reports."
        )
    former = start.weights.spec["parameters"]["training"]
    sizes = {name: former[name] for name in ("width", "hidden", "dropout")}
    made = parameters.made_share if known is not None else 1 - parameters.own_share
    training = parameters.training
    in_a_batch = max(1.0, parameters.own_share * training.batch_size)
    steps = training.steps_per_epoch or max(
        _LEAST_STEPS, round(parameters.passes * count / in_a_batch)
    )
    return training.model_copy(
        update={**sizes, "synthetic": (made, made), "steps_per_epoch": steps}
    )


def grow(
    network: LineNetwork, kept: NetworkWeights, charset: Charset, settings: TrainingParameters
) -> LineNetwork:
    """Return a network with an output for each character; what it knows stays as it was.

    A new character begins as the mean of all others: something is written there, no more.
    """
    grown = build_network(settings, charset)
    state = network.state_dict()
    lacking = len(charset) - len(Charset(kept.spec["charset"]))
    for name, values in state.items():
        if lacking and name.partition(".")[0] in _HEADS:
            state[name] = torch.cat([values, _begin(values, lacking)])
    grown.load_state_dict(state)
    return grown


def _begin(values_K: Tensor, count: int) -> Tensor:
    """Return rows for new characters; the first row is the blank's."""
    mean = values_K[1:].mean(dim=0, keepdim=True)
    rows = mean.expand(count, *values_K.shape[1:])
    return rows + _SPREAD * torch.randn(rows.shape)


def _make_learner(
    own: Samples, known: Samples | None, charset: Charset, source: Source,
    settings: TrainingParameters, parameters: AdaptationParameters,
) -> LineLearner:  # fmt: skip
    lines = hold(own.table[own.table["split"].eq("train")],
                 cut_out(*own, "train"), charset)  # fmt: skip
    chances_N = _share_out(np.ones(len(lines)), parameters.own_share)
    if known is not None:
        others = _draw_known(known.table, parameters.known_lines)
        rows = others[others["split"].eq("train")]
        rest = max(1e-6, 1 - parameters.own_share - parameters.made_share)
        former = hold(rows, cut_out(others, known.images_NHW, "train"), charset)
        lines = _join(lines, former)
        chances_N = np.concatenate([chances_N, _share_out(chances_of(rows), rest)])
    held = choose_held(*own, settings.most_valid_lines)
    valid = Validation(hold(held.table, held.inks(), charset), held.texts)
    return LineLearner(
        lines, valid, charset, source.to_maker(), settings, chances_N, made_of=source.digest()
    )


def _draw_known(table: pd.DataFrame, most: int) -> pd.DataFrame:
    """Return the sample table, at most so many of its lines still there to be learnt from."""
    train = table.index[table["split"].eq("train")]
    left = np.random.default_rng(1).permutation(train)[most:]
    return table.assign(split=table["split"].mask(table.index.isin(left), "drop"))


def _share_out(chances_N: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """Return chances that sum up to a share."""
    return share * chances_N / max(1e-12, float(chances_N.sum()))


def _join(one: Lines, other: Lines) -> Lines:
    return Lines(
        torch.cat([one.columns_CH, other.columns_CH]),
        np.concatenate([one.widths_N, other.widths_N]),
        one.labels + other.labels,
    )


def _hold_back(
    own: Samples, known: Samples | None, source: Source, settings: TrainingParameters
) -> HeldLines:
    """Return what search and confidences are fitted to: own lines, filled up with others."""
    held = choose_held(*own, settings.most_valid_lines)
    lacking = _LEAST_HELD - len(held.texts)
    if lacking <= 0:
        return held
    other = (
        choose_held(*known, lacking)
        if known is not None and known.table["split"].eq("valid").any()
        else make_held(source, lacking, "valid")
    )
    images = [*held.inks(), *other.inks()]
    table = pd.concat([held.table, other.table], ignore_index=True)
    return HeldLines(table, stack(images), held.texts + other.texts)


def make_held(source: Source, count: int, split: Split) -> HeldLines:
    """Return made lines that say something, which nothing is learnt from."""
    synthesis = source.data.synthesis.model_copy(update={"empty": 0.0})
    maker = LineMaker(synthesis, source.texts, None, split)
    images, texts = maker.draw(count, np.random.default_rng(source.data.seed))
    names = [f"made/{split}-{place:05d}" for place in range(count)]
    table = pd.DataFrame(
        {
            "sample_id": names, "corpus": "fonts", "collection": "fonts", "label": "line",
            "group": names, "page": None, "text": texts, "split": split, "is_uppercase": None,
            "width_px": [image_HW.shape[1] for image_HW in images],
        }
    )  # fmt: skip
    return HeldLines(table, stack(images), tuple(map(normalise, texts)))
