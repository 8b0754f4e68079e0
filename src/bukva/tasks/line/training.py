"""Training a network that reads lines, and its way into an ONNX file.

Shapes: N lines, H x W pixels, T time steps, K outputs.
"""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
import torch

from bukva.core.arrays import UInt8Array
from bukva.core.networks import NetworkWeights
from bukva.core.samples import Split
from bukva.core.training.checkpoint import CheckpointStore
from bukva.core.training.device import seeded
from bukva.core.training.fit import OnEpoch, fit
from bukva.tasks.line.characters import Characters
from bukva.tasks.line.charset import CHARSETS, Charset, normalise
from bukva.tasks.line.export import HeldLines, export
from bukva.tasks.line.language_model import LanguageModel
from bukva.tasks.line.learner import LineLearner, Validation
from bukva.tasks.line.line_maker import LineMaker
from bukva.tasks.line.lines import Lines
from bukva.tasks.line.networks import LineNetwork
from bukva.tasks.line.parameters import DataParameters
from bukva.tasks.line.recogniser import LineRecogniser
from bukva.tasks.line.training_parameters import LanguageModelParameters, TrainingParameters

_SEED_OF_VALID: Final = 1


class Trained(NamedTuple):
    """What a training leaves.

    Attributes:
        recogniser: The network in ONNX, with its language model.
        history: One row an epoch.
        weights: The same network, to go on from.
    """

    recogniser: LineRecogniser
    history: pd.DataFrame
    weights: NetworkWeights


class Source(NamedTuple):
    """What lines are made of while a network learns.

    Attributes:
        texts: Sentences by language and split.
        characters: Of corpora.
        data: How they are made.
    """

    texts: pd.DataFrame
    characters: Characters
    data: DataParameters

    @property
    def charset(self) -> Charset:
        """What lines may hold."""
        return CHARSETS[self.data.synthesis.charset]

    def to_maker(self) -> LineMaker:
        """Return what makes lines to learn from."""
        return LineMaker(self.data.synthesis, self.texts, self.characters)

    def digest(self) -> str:
        """Return a sha256 over all of it."""
        digest = hashlib.sha256(self.data.synthesis.model_dump_json().encode())
        for table in (self.texts, self.characters.table):
            digest.update(table.to_csv(index=False).encode())
        digest.update(np.ascontiguousarray(self.characters.images_NSS).tobytes())
        return digest.hexdigest()


def count_texts(
    texts: pd.DataFrame, data: DataParameters, parameters: LanguageModelParameters
) -> LanguageModel:
    """Return the language model of the sentences that lines to learn from are made of."""
    charset = CHARSETS[data.synthesis.charset]
    train = texts[texts["split"].eq("train")]
    known = set(charset.characters)
    sentences = [text for text in map(normalise, train["text"]) if set(text) <= known]
    return LanguageModel.count(
        sentences, charset, order=parameters.order, least_count=parameters.least_count,
        corpora=sorted(train["corpus"].unique()),
    )  # fmt: skip


def train(
    table: pd.DataFrame,
    images_NHW: UInt8Array,
    source: Source,
    language_model: LanguageModel | None,
    parameters: TrainingParameters,
    checkpoints: CheckpointStore | None = None,
    epoch_metrics: OnEpoch | None = None,
) -> Trained:
    """Train a network, choose how texts are looked for, and make its confidences true.

    Raises:
        ParityError: If ONNX answers otherwise than torch.
    """
    charset = source.charset
    with seeded(parameters.seed):
        network = build_network(parameters, charset)
    rows = table[table["split"].eq("train")]
    held = choose_held(table, images_NHW, parameters.most_valid_lines)
    learner = LineLearner(
        hold(rows, cut_out(table, images_NHW, "train"), charset),
        Validation(hold(held.table, held.inks(), charset), held.texts),
        charset,
        source.to_maker(),
        parameters,
        chances_of(rows),
        made_of=source.digest(),
    )
    _, history = fit(network, learner, parameters, checkpoints=checkpoints, on_epoch=epoch_metrics)
    told = {
        "network": "crnn",
        "parameters": {"training": parameters.model_dump(mode="json")},
        "data_fingerprint": learner.digests()[0],
    }
    recogniser = export(network, told, charset, held, language_model, parameters.decoding)
    weights = {name: value.numpy() for name, value in network.state_dict().items()}
    return Trained(recogniser, history, NetworkWeights(weights, recogniser.spec))


def build_network(parameters: TrainingParameters, charset: Charset) -> LineNetwork:
    """Return a new network with random weights."""
    return LineNetwork(parameters.width, parameters.hidden, parameters.dropout, len(charset))


def restore(kept: NetworkWeights) -> LineNetwork:
    """Return the network that was kept, ready to be asked or trained on."""
    settings = TrainingParameters.model_validate(kept.spec["parameters"]["training"])
    network = build_network(settings, Charset(kept.spec["charset"]))
    network.load_state_dict({name: torch.tensor(value) for name, value in kept.weights.items()})
    return network.eval()


def chances_of(train: pd.DataFrame) -> np.ndarray:
    """Return how often each line is drawn: a collection of four times the lines twice as often."""
    sizes_N = train.groupby("collection")["collection"].transform("size")
    return np.asarray(1 / np.sqrt(sizes_N), dtype=np.float64)


def choose_held(table: pd.DataFrame, images_NHW: UInt8Array, most: int) -> HeldLines:
    """Return at most so many lines of the validation split, drawn at random."""
    places = np.flatnonzero(table["split"].eq("valid"))
    drawn = np.random.default_rng(_SEED_OF_VALID).permutation(len(places))[:most]
    kept = places[np.sort(drawn)]
    rows = table.iloc[kept]
    return HeldLines(rows, images_NHW[kept], tuple(map(normalise, rows["text"])))


def cut_out(table: pd.DataFrame, images_NHW: UInt8Array, split: Split) -> Iterator[UInt8Array]:
    """Yield the lines of a split as wide as they are; of a mapped file no more is read."""
    for place in np.flatnonzero(table["split"].eq(split)):
        yield images_NHW[place, :, : int(table["width_px"].iloc[place])]


def hold(rows: pd.DataFrame, inks: Iterable[UInt8Array], charset: Charset) -> Lines:
    """Return lines for the learner; characters outside the charset are left out of labels."""
    known = set(charset.characters)
    labels = [
        charset.encode("".join(each for each in normalise(text) if each in known))
        for text in rows["text"]
    ]
    return Lines.of(inks, labels)
