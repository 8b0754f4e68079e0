"""From a corpus to a table of characters and their images, and from those to a network in ONNX.

Shapes: B images in a batch, N samples, H x W pixels, K classes.
"""

from functools import partial

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from bukva.core.alphabets import BYCLASS
from bukva.core.arrays import UInt8Array
from bukva.core.export import export_classifier
from bukva.core.imaging.decoding import decode_image, to_grey
from bukva.core.samples import LazyCorpora, RawSample
from bukva.core.training.checkpoint import CheckpointStore
from bukva.core.training.classification import ClassLearner, ClassSamples
from bukva.core.training.device import seeded
from bukva.core.training.fit import OnEpoch, fit
from bukva.core.training.variation import draw_affine_grid
from bukva.tasks.character.networks import build_network
from bukva.tasks.character.parameters import DataParameters, TrainingParameters
from bukva.tasks.character.recogniser import FRAME_PX, CharacterRecogniser, frame


def collect(corpora: LazyCorpora, parameters: DataParameters) -> tuple[pd.DataFrame, UInt8Array]:
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
    return frame(to_grey(decode_image(image)) if isinstance(image, bytes) else image)


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
    learnt, valid = (
        ClassSamples.select(table, images_NHW, split, list(labels)) for split in ("train", "valid")
    )
    with seeded(parameters.seed):
        network = build_network(
            parameters.network, len(labels), parameters.width, parameters.dropout
        )
    learner = ClassLearner(
        learnt, valid, partial(_vary, parameters=parameters), epochs=parameters.max_epochs,
        label_smoothing=parameters.label_smoothing, precision=parameters.precision,
    )  # fmt: skip
    _, history = fit(network, learner, parameters, checkpoints=checkpoints, on_epoch=epoch_metrics)
    spec = {
        "task": "character",
        "network": parameters.network,
        "labels": labels,
        "weights": sum(weight.numel() for weight in network.parameters()),
        "parameters": {"training": parameters.model_dump(mode="json")},
        "data_fingerprint": learnt.digest(),
    }
    file = export_classifier(network.cpu().eval(), spec, valid.images_NHW[:1000])
    return CharacterRecogniser(file), history


def _vary(
    images_B1HW: Tensor, generator: torch.Generator, parameters: TrainingParameters
) -> Tensor:
    grid_BHW2 = draw_affine_grid(
        images_B1HW, generator, rotation_deg=parameters.rotation_deg, scale=parameters.scale,
        slant=parameters.slant, shift=parameters.shift,
    )  # fmt: skip
    return functional.grid_sample(images_B1HW, grid_BHW2, align_corners=False)
