"""Training a network that tells handwriting from print, and its way into an ONNX file.

Shapes: B images in a batch, N samples, H x W pixels, K labels.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn import functional

from bukva.core.arrays import Float32Array, UInt8Array
from bukva.core.export import export_network, write_onnx
from bukva.core.networks import NetworkWeights
from bukva.core.predictor import OnnxModel
from bukva.core.samples import of_split
from bukva.core.training.calibration import fit_temperature
from bukva.core.training.checkpoint import CheckpointStore
from bukva.core.training.classification import ClassLearner, ClassSamples, to_ink
from bukva.core.training.device import seeded
from bukva.core.training.fit import OnEpoch, fit
from bukva.errors import ParityError
from bukva.tasks.document.answer import LABELS
from bukva.tasks.document.evaluation.scores import measure_epoch
from bukva.tasks.document.framing import Frame
from bukva.tasks.document.networks import FromPixels, MapNetwork, build_network
from bukva.tasks.document.parameters import TrainingParameters
from bukva.tasks.document.recogniser import DocumentRecogniser
from bukva.tasks.document.variation import vary

_AT_ONCE: Final = 64
_TOLERANCE: Final = 1e-3
_CHECKED: Final = 200
_OPSET: Final = 20


class Trained(NamedTuple):
    """What a training leaves.

    Attributes:
        recogniser: The network in ONNX.
        history: One row an epoch.
        weights: The same network, to go on from.
    """

    recogniser: DocumentRecogniser
    history: pd.DataFrame
    weights: NetworkWeights


class LineLearner(ClassLearner):
    """Draws both labels as often, and of each the corpora more evenly than they are filled."""

    def __init__(self, table: pd.DataFrame, images_NHW: UInt8Array, **settings: Any) -> None:
        train, valid = (
            ClassSamples.select(table, images_NHW, split, LABELS) for split in ("train", "valid")
        )
        super().__init__(train, valid, **settings)
        self.chances_N = chances_of(of_split(table, images_NHW, "train")[0])

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Return the loss, and what is told of two classes."""
        logits_NK = predict_logits(network, self._valid.images_NHW)
        loss = functional.cross_entropy(
            torch.from_numpy(logits_NK), torch.from_numpy(self._valid.classes_N)
        )
        return {"valid_loss": float(loss), **measure_epoch(logits_NK, self._valid.classes_N)}


def chances_of(train: pd.DataFrame) -> np.ndarray:
    """Return how often each sample is drawn: a corpus of four times the lines twice as often."""
    cell = [train["label"], train["corpus"]]
    of_cell_N = 1 / np.sqrt(train.groupby(cell)["label"].transform("size"))
    total_N = of_cell_N.groupby(train["label"]).transform("sum")
    return np.asarray(of_cell_N / total_N, dtype=np.float64)


@torch.inference_mode()
def predict_logits(network: nn.Module, images_NHW: UInt8Array) -> Float32Array:
    """Return the logits `(N, K)` of a network, in evaluation mode, where it lies."""
    device = next(network.parameters()).device
    network.eval()
    parts = [
        network(to_ink(torch.tensor(images_NHW[start : start + _AT_ONCE], device=device)))
        for start in range(0, len(images_NHW), _AT_ONCE)
    ]
    return np.asarray(torch.cat(parts).float().cpu().numpy())


def train(
    table: pd.DataFrame,
    images_NHW: UInt8Array,
    parameters: TrainingParameters,
    checkpoints: CheckpointStore | None = None,
    epoch_metrics: OnEpoch | None = None,
) -> Trained:
    """Train a network, and calibrate it on the validation split.

    Raises:
        ParityError: If ONNX answers otherwise than torch.
    """
    with seeded(parameters.seed):
        network = build_network(parameters.network, parameters.width, parameters.dropout)
    learner = LineLearner(
        table, images_NHW, vary=partial(vary, parameters=parameters.variation),
        epochs=parameters.max_epochs, label_smoothing=parameters.label_smoothing,
        precision=parameters.precision,
    )  # fmt: skip
    _, history = fit(network, learner, parameters, checkpoints=checkpoints, on_epoch=epoch_metrics)
    spec = {
        "network": parameters.network,
        "parameters": {"training": parameters.model_dump(mode="json")},
        "data_fingerprint": learner.digests()[0],
    }
    recogniser = export(network, spec, *of_split(table, images_NHW, "valid"))
    weights = {name: value.numpy() for name, value in network.state_dict().items()}
    return Trained(recogniser, history, NetworkWeights(weights, recogniser.spec))


def restore(kept: NetworkWeights) -> MapNetwork:
    """Return the network that was kept, ready to be asked or trained on."""
    settings = TrainingParameters.model_validate(kept.spec["parameters"]["training"])
    network = build_network(settings.network, settings.width, settings.dropout)
    network.load_state_dict({name: torch.tensor(value) for name, value in kept.weights.items()})
    return network.eval()


def export(
    network: MapNetwork, told: Mapping[str, Any], valid: pd.DataFrame, valid_NHW: UInt8Array
) -> DocumentRecogniser:
    """Return a trained network in ONNX, its probabilities fitted to the validation split.

    Raises:
        ParityError: If a logit differs from torch's by more than 0.001.
    """
    network = network.cpu().eval()
    logits_NK = predict_logits(network, valid_NHW)
    classes_N = pd.Index(LABELS).get_indexer(pd.Index(valid["label"])).astype(np.int64)
    height, width = valid_NHW.shape[1:]
    spec = {
        "task": "document",
        "labels": list(LABELS),
        "preprocessing": Frame(height, width).to_spec(),
        "temperature": fit_temperature(logits_NK, classes_N, np.ones(len(classes_N))),
        "weights": sum(weight.numel() for weight in network.parameters()),
        **told,
    }
    example = {"images": torch.tensor(valid_NHW[:2])}
    proto = export_network(FromPixels(network).eval(), example, ["logits", "maps"], _OPSET)
    file = write_onnx(proto, spec)
    [found_NK] = OnnxModel(file).run(["logits"], images=valid_NHW[:_CHECKED])
    largest = float(np.abs(logits_NK[:_CHECKED] - found_NK).max())
    if not largest <= _TOLERANCE:  # so that NaN is one, too
        message = f"Expected torch and ONNX to differ by at most {_TOLERANCE} in their logits"
        raise ParityError(f"{message}, got {largest:.2g}.")
    return DocumentRecogniser(file)
