"""MobileNetV2 from weights of ImageNet: a new head on kept features, then its last blocks.

Sandler et al. 2018. The features of a few varied copies of each line are worked out once and kept:
training the head on them takes seconds.

Shapes: N lines, M their copies, D features, K labels, H x W pixels.
"""

import time
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.lr_scheduler import ReduceLROnPlateau
from tqdm import tqdm

from bukva.core.arrays import UInt8Array
from bukva.core.samples import of_split
from bukva.core.training.classification import to_ink
from bukva.core.training.device import seeded
from bukva.errors import ModelFormatError
from bukva.tasks.document.answer import LABELS
from bukva.tasks.document.networks import MapNetwork, build_network, pool_on_ink
from bukva.tasks.document.parameters import TransferParameters, VariationParameters
from bukva.tasks.document.recogniser import DocumentRecogniser
from bukva.tasks.document.training import chances_of, export, predict_logits
from bukva.tasks.document.variation import vary

_FEATURES: Final = 1280
_BATCH: Final = 32
_SEED: Final = 1
_PATIENCE_EPOCHS: Final = 3
_DROPOUT: Final = 0.2

Weights = Mapping[str, NDArray[Any]]


class Pooled(NamedTuple):
    """Features of lines, averaged where ink lies, and their classes."""

    features_MD: Tensor
    classes_M: Tensor


def load_folded(network: MapNetwork, weights: Weights) -> None:
    """Put weights into which batch norm was folded into a MobileNetV2 of torchvision, in place.

    Each convolution is copied; the norm after it gets weight 1, the given bias, mean 0 and variance
    1 - eps, which leaves what goes through it as it is but for the bias. They were made by
    TensorFlow, which pads at the right and below where it halves; torch pads on both sides: what is
    learnt on top is learnt from that.

    Raises:
        ModelFormatError: If a convolution is missing, or has another shape.
    """
    layers: Any = network.features.layers
    modules = [(name, module) for name, module in layers.named_modules()]
    for place, (name, module) in enumerate(modules):
        if not isinstance(module, nn.Conv2d):
            continue
        key = f"features.{name}"
        kernel, bias = weights.get(f"{key}.weight"), weights.get(f"{key}.bias")
        if kernel is None or bias is None or kernel.shape != tuple(module.weight.shape):
            got = "none" if kernel is None else str(kernel.shape)
            raise ModelFormatError(
                f"Expected {key}.weight of shape {tuple(module.weight.shape)} and its bias among "
                f"the weights of MobileNetV2, got {got}: take the file that docs/document.md names."
            )
        norm = next(each for _, each in modules[place + 1 :] if isinstance(each, nn.BatchNorm2d))
        with torch.no_grad():
            module.weight.copy_(torch.from_numpy(np.array(kernel, order="C")))
            norm.weight.fill_(1.0)
            norm.bias.copy_(torch.from_numpy(np.array(bias, order="C")))
            norm.running_mean.zero_()  # type: ignore[union-attr]
            norm.running_var.fill_(1.0 - norm.eps)  # type: ignore[union-attr]


class _Enlarged(nn.Module):
    """Layers that see a line larger than it is stored."""

    def __init__(self, layers: nn.Module, factor: int) -> None:
        super().__init__()
        self.layers, self.factor = layers, factor

    def forward(self, ink_B1HW: Tensor) -> Tensor:
        large = functional.interpolate(ink_B1HW, scale_factor=float(self.factor), mode="bilinear")
        features: Tensor = self.layers(large)
        return features


def transfer(
    table: pd.DataFrame, images_NHW: UInt8Array, weights: Weights | None,
    parameters: TransferParameters, variation: VariationParameters,
) -> tuple[DocumentRecogniser, float]:  # fmt: skip
    """Teach MobileNetV2; return it in ONNX, and the seconds that it took.

    Args:
        table: The sample table.
        images_NHW: uint8 images, row-aligned with it.
        weights: Of ImageNet; None begins with random ones, whose features tell little.
        parameters: Of the transfer.
        variation: Of what is learnt from.

    Raises:
        ModelFormatError: If the weights are not MobileNetV2's.
        ParityError: If ONNX answers otherwise than torch.
    """
    started_s = time.perf_counter()
    with seeded(_SEED):
        network = build_network("mobilenet_v2", 1, _DROPOUT)
        if weights is not None:
            load_folded(network, weights)
        if parameters.enlarge > 1:
            network.features = _Enlarged(network.features, parameters.enlarge)
        chosen, chosen_NHW = _choose(table, images_NHW, "train", parameters.most_lines)
        valid, valid_NHW = _choose(table, images_NHW, "valid", parameters.most_lines // 4)
        features = keep_features(network, chosen, chosen_NHW, parameters.copies, variation)
        _teach_head(network, features, keep_features(network, valid, valid_NHW, 0, variation),
                    parameters)  # fmt: skip
        if parameters.tuned_blocks:
            _tune(network, (chosen, chosen_NHW), (valid, valid_NHW), parameters, variation)
    told = {"network": "mobilenet_v2", "parameters": parameters.model_dump(mode="json")}
    model = export(network, told, valid, valid_NHW)
    return model, time.perf_counter() - started_s


def _choose(
    table: pd.DataFrame, images_NHW: UInt8Array, split: Any, most: int
) -> tuple[pd.DataFrame, UInt8Array]:
    """Return lines of a split, drawn as training draws them, none of them twice."""
    rows, of_split_NHW = of_split(table, images_NHW, split)
    if len(rows) <= most:
        return rows, of_split_NHW
    chances_N = chances_of(rows)
    rng = np.random.default_rng(_SEED)
    kept = np.sort(rng.choice(len(rows), most, replace=False, p=chances_N / chances_N.sum()))
    return rows.iloc[kept], np.asarray(of_split_NHW[kept])


@torch.inference_mode()
def keep_features(
    network: MapNetwork, rows: pd.DataFrame, images_NHW: UInt8Array, copies: int,
    variation: VariationParameters,
) -> Pooled:  # fmt: skip
    """Return the features of varied copies of lines, without copies of the lines as they are.

    The head is linear: the mean of its maps over ink is what it makes of the mean of features.
    """
    network.eval()
    generator = torch.Generator().manual_seed(_SEED)
    classes_N = _classes(rows)
    features, classes = [], []
    for _ in range(max(1, copies)):
        for start in tqdm(range(0, len(rows), _BATCH), desc="features", unit="batch"):
            ink = to_ink(torch.tensor(images_NHW[start : start + _BATCH]))
            ink = vary(ink, generator, variation) if copies else ink
            features.append(pool_on_ink(network.features(ink), ink))
            classes.append(classes_N[start : start + _BATCH])
    return Pooled(torch.cat(features).clone(), torch.cat(classes))


def _classes(rows: pd.DataFrame) -> Tensor:
    return torch.from_numpy(pd.Index(LABELS).get_indexer(pd.Index(rows["label"])).astype(np.int64))


def _teach_head(
    network: MapNetwork, train: Pooled, valid: Pooled, parameters: TransferParameters
) -> None:
    """Teach a linear head on kept features, by Adam; the best epoch on validation is kept."""
    head = nn.Linear(_FEATURES, len(LABELS))
    optimiser = torch.optim.Adam(head.parameters(), lr=parameters.head_learning_rate)
    plateau = ReduceLROnPlateau(optimiser, factor=0.3, patience=_PATIENCE_EPOCHS)
    best, kept = float("inf"), {}
    for _ in range(parameters.head_epochs):
        for chosen in torch.split(torch.randperm(len(train.classes_M)), 4 * _BATCH):
            logits = head(functional.dropout(train.features_MD[chosen], _DROPOUT))
            loss = functional.cross_entropy(logits, train.classes_M[chosen])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        with torch.no_grad():
            valid_loss = float(functional.cross_entropy(head(valid.features_MD), valid.classes_M))
        plateau.step(valid_loss)
        if valid_loss < best:
            best, kept = valid_loss, {name: value.clone() for name, value in
                                      head.state_dict().items()}  # fmt: skip
    network.head.load_state_dict({"weight": kept["weight"][..., None, None], "bias": kept["bias"]})


def _tune(
    network: MapNetwork, train: tuple[pd.DataFrame, UInt8Array],
    valid: tuple[pd.DataFrame, UInt8Array], parameters: TransferParameters,
    variation: VariationParameters,
) -> None:  # fmt: skip
    """Train the last blocks, too; norms keep what they measured on ImageNet."""
    layers: Any = network.features
    layers = layers.layers if isinstance(layers, _Enlarged) else layers
    blocks = list(layers.layers.children())[-parameters.tuned_blocks :]
    network.requires_grad_(False)
    tuned = nn.ModuleList([*blocks, network.head]).requires_grad_(True)
    optimiser = torch.optim.Adam(tuned.parameters(), lr=parameters.tuned_learning_rate)
    plateau = ReduceLROnPlateau(optimiser, factor=0.3, patience=0)
    rows, images_NHW = train
    classes_N, valid_classes_N = _classes(rows), _classes(valid[0])
    generator = torch.Generator().manual_seed(_SEED + 1)
    best, kept = float("inf"), network.state_dict()
    for epoch in range(parameters.tuned_epochs):
        network.eval()
        order = torch.randperm(len(rows), generator=generator)
        for chosen in tqdm(torch.split(order, _BATCH), desc=f"fine-tuning, epoch {epoch + 1}"):
            ink = vary(to_ink(torch.tensor(images_NHW[chosen.numpy()])), generator, variation)
            loss = functional.cross_entropy(network(ink), classes_N[chosen])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        logits = torch.from_numpy(predict_logits(network, valid[1]))
        valid_loss = float(functional.cross_entropy(logits, valid_classes_N))
        plateau.step(valid_loss)
        if valid_loss < best:
            best = valid_loss
            kept = {name: value.clone() for name, value in network.state_dict().items()}
    network.load_state_dict(kept)
