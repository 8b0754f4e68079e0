"""A trained model as data: weights and the specification that says what they mean; its answers.

Shapes: N images, H x W pixels, F page features, K labels.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from bukva.core.arrays import Float32Array, UInt8Array
from bukva.core.training.checkpoint import digest_weights
from bukva.core.training.classification import to_ink
from bukva.errors import ModelFormatError
from bukva.tasks.glyph.networks import build_network


class ModelSpec(BaseModel):
    """Everything beside the weights that is needed to use them.

    Attributes:
        network: Name in `bukva.tasks.glyph.networks.NETWORKS`.
        sizes: Keyword arguments of the network.
        labels: What the label head's outputs mean, in order.
        page_features: Names of the page features, in order.
        preprocessing: Constants of `bukva.tasks.glyph.preprocessing.Preprocessing`.
        data_fingerprint: sha256 of what it was trained on.
        corpora: Names of the corpora that it was trained on, by whichever stage; empty where that
            was not written down.
        parameters: Those that had an effect on it, by stage, `corpora` as shares of a batch; empty
            where they were not written down.
        symbol_threshold: Probability of showing a symbol below which an image is refused; 0 where
            the model knows nothing of what shows none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    network: str
    sizes: dict[str, int | float]
    labels: str
    page_features: tuple[str, ...]
    preprocessing: dict[str, int | float]
    data_fingerprint: str
    corpora: tuple[str, ...] = ()
    parameters: dict[str, dict[str, Any]] = Field(default_factory=dict)
    symbol_threshold: Annotated[float, Field(ge=0, le=1)] = 0.0


@dataclass(frozen=True)
class TrainedModel:
    """Weights by name, and their specification; no pickle is needed to keep or read it."""

    weights: Mapping[str, NDArray[Any]]
    spec: ModelSpec

    def to_network(self) -> nn.Module:
        """Return a new network with these weights, in evaluation mode.

        Raises:
            ModelFormatError: If the weights are not those of the specified network.
        """
        network = build_network(self.spec.network, len(self.spec.labels), **self.spec.sizes)
        try:
            network.load_state_dict(_to_tensors(self.weights))
        except RuntimeError as error:
            message = (
                f"Expected the weights of {self.spec.network} with {self.spec.sizes} and "
                f"{len(self.spec.labels)} labels, got others. Train the model again."
            )
            raise ModelFormatError(message) from error
        return network.eval()

    def digest(self) -> str:
        """Return a sha256 over names and values of all weights."""
        return digest_weights(self.weights)


def load_backbone(network: nn.Module, model: TrainedModel) -> None:
    """Give a network the backbone of a trained model; its heads stay as they are.

    Raises:
        ModelFormatError: If the backbones differ in shape.
    """
    backbone = _backbone_of(_to_tensors(model.weights))
    found = {name: value.shape for name, value in backbone.items()}
    expected = {name: value.shape for name, value in _backbone_of(network.state_dict()).items()}
    if not found or found != expected:
        differing = sorted(name for name, _ in found.items() ^ expected.items())
        message = (
            f"Expected a backbone like the network's, got one of {model.spec.network} with "
            f"{model.spec.sizes} that differs in {differing[:3]}. Give both stages the same "
            "network and width."
        )
        raise ModelFormatError(message)
    network.load_state_dict(backbone, strict=False)


def _backbone_of(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: value for name, value in weights.items() if name.startswith("backbone.")}


def _to_tensors(weights: Mapping[str, NDArray[Any]]) -> dict[str, Tensor]:
    return {name: torch.from_numpy(np.array(value)) for name, value in weights.items()}


class Logits(NamedTuple):
    """What the two heads answer: float32 `(N, K)` and `(N,)`."""

    label_NK: Float32Array
    case_N: Float32Array


def to_batch(images_NHW: Tensor, page_NF: Tensor, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return images as float ink 0..1 with a channel, and page features, on a device."""
    return to_ink(images_NHW.to(device)), page_NF.to(device)


@torch.inference_mode()
def predict_logits(
    network: nn.Module,
    images_NHW: UInt8Array,
    page_NF: Float32Array,
    *,
    batch_size: int = 1024,
    device: torch.device | None = None,
) -> Logits:
    """Return the logits of a network over images, in float32, in evaluation mode."""
    device = device or torch.device("cpu")
    network = network.to(device).eval()
    label_parts, case_parts = [], []
    for start in range(0, len(images_NHW), batch_size):
        chosen = slice(start, start + batch_size)
        # Copies: arrays out of tables may be read-only, which torch warns about.
        images, page = torch.tensor(images_NHW[chosen]), torch.tensor(page_NF[chosen])
        labels_BK, case_B = network(*to_batch(images, page, device))
        label_parts.append(labels_BK.float().cpu().numpy())
        case_parts.append(case_B.float().cpu().numpy())
    return Logits(np.concatenate(label_parts), np.concatenate(case_parts))
