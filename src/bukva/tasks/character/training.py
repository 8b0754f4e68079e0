"""From a corpus to a table of characters and their images, and from those to a network in ONNX.

Shapes: N samples, H x W pixels, K classes.
"""

import json
import warnings
from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
import onnx
import pandas as pd
import torch
from scipy.special import softmax
from torch import Tensor, nn
from tqdm import tqdm

from bukva.core.alphabets import BYCLASS
from bukva.core.arrays import UInt8Array
from bukva.core.imaging.decoding import decode_image
from bukva.core.predictor import SPEC_KEY
from bukva.core.samples import RawSample
from bukva.core.training.checkpoint import CheckpointStore
from bukva.core.training.device import seeded
from bukva.core.training.fit import OnEpoch, fit
from bukva.errors import ParityError
from bukva.tasks.character.learner import CharacterLearner, Samples, predict_logits
from bukva.tasks.character.networks import build_network
from bukva.tasks.character.parameters import DataParameters, TrainingParameters
from bukva.tasks.character.recogniser import FRAME_PX, CharacterRecogniser, frame

_OPSET: Final = 20
_TOLERANCE: Final = 1e-4

Corpora = dict[str, Callable[[], Iterator[RawSample]]]


def collect(corpora: Corpora, parameters: DataParameters) -> tuple[pd.DataFrame, UInt8Array]:
    """Return the sample table and its images `(N, 28, 28)`, dealt out to three splits by class."""
    rows, images = [], []
    for corpus, read in corpora.items():
        for sample in tqdm(read(), desc=f"reading {corpus}", unit="image", mininterval=0.5):
            rows.append((f"{corpus}/{sample.name}", corpus, sample.label))
            images.append(_to_frame(sample))
    table = pd.DataFrame(rows, columns=["sample_id", "corpus", "label"])
    drawn = pd.Series(np.random.default_rng(parameters.seed).random(len(table)))
    place = drawn.groupby([table["corpus"], table["label"]]).rank(pct=True)
    ends = [parameters.test_share, parameters.test_share + parameters.valid_share]
    split = np.select([place <= ends[0], place <= ends[1]], ["test", "valid"], default="train")
    return table.assign(split=split, is_uppercase=None), np.stack(images)


def _to_frame(sample: RawSample) -> UInt8Array:
    """Return an image as the network takes it: EMNIST's are framed already."""
    image = sample.image
    if not isinstance(image, bytes) and image.shape == (FRAME_PX, FRAME_PX):
        return image
    return frame(decode_image(image) if isinstance(image, bytes) else image)


def train(
    table: pd.DataFrame,
    images_NHW: UInt8Array,
    parameters: TrainingParameters,
    checkpoints: CheckpointStore | None = None,
    epoch_metrics: OnEpoch | None = None,
) -> tuple[CharacterRecogniser, pd.DataFrame]:
    """Train a network on the classes that the table holds; return it in ONNX, and its history.

    Raises:
        ParityError: If ONNX answers otherwise than torch.
    """
    labels = "".join(each for each in BYCLASS if table["label"].eq(each).any())
    learnt, valid = (_select(table, images_NHW, split, labels) for split in ("train", "valid"))
    with seeded(parameters.seed):
        network = build_network(
            parameters.network, len(labels), parameters.width, parameters.dropout
        )
    learner = CharacterLearner(learnt, valid, parameters)
    _, history = fit(network, learner, parameters, checkpoints=checkpoints, on_epoch=epoch_metrics)
    spec = {
        "task": "character",
        "network": parameters.network,
        "labels": labels,
        "weights": sum(weight.numel() for weight in network.parameters()),
        "parameters": {"training": parameters.model_dump(mode="json")},
        "data_fingerprint": learnt.digest(),
    }
    recogniser = CharacterRecogniser(export(network.cpu().eval(), spec))
    checked_NHW = valid.images_NHW[:1000]
    found_NK = recogniser.probabilities(checked_NHW)
    difference = float(
        np.abs(softmax(predict_logits(network, checked_NHW), axis=1) - found_NK).max()
    )
    if not difference <= _TOLERANCE:
        message = f"Expected torch and ONNX to differ by at most {_TOLERANCE} in probability"
        raise ParityError(f"{message}, got {difference:.2g}.")
    return recogniser, history


def _select(table: pd.DataFrame, images_NHW: UInt8Array, split: str, labels: str) -> Samples:
    is_chosen_N = table["split"].eq(split).to_numpy()
    indices_N = pd.Index(list(labels)).get_indexer(pd.Index(table["label"][is_chosen_N]))
    return Samples(images_NHW[is_chosen_N], indices_N.astype(np.int64))


def export(network: nn.Module, spec: dict[str, Any]) -> bytes:
    """Return a network as ONNX: `images` uint8 `(N, 28, 28)` in, `logits` `(N, K)` out."""
    example = torch.zeros((2, FRAME_PX, FRAME_PX), dtype=torch.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter's own deprecations
        program: Any = torch.onnx.export(
            _FromPixels(network),
            (example,),
            input_names=["images"],
            output_names=["logits"],
            dynamic_shapes=({0: torch.export.Dim("N", min=1)},),
            opset_version=_OPSET,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    proto = program.model_proto
    onnx.helper.set_model_props(proto, {SPEC_KEY: json.dumps(spec)})
    return bytes(proto.SerializeToString())


class _FromPixels(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images_NHW: Tensor) -> Tensor:
        logits_NK: Tensor = self.network(images_NHW.unsqueeze(1).float() / 255.0)
        return logits_NK
