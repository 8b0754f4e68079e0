"""MobileNetV2 takes over what was learnt on ImageNet."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from bukva.errors import ModelFormatError
from bukva.tasks.document.networks import build_network
from bukva.tasks.document.parameters import TransferParameters, VariationParameters
from bukva.tasks.document.transfer import keep_features, load_folded, transfer


def folded() -> dict[str, np.ndarray]:
    """Return weights of the right names and shapes, as batch norm folded into them leaves them."""
    rng = np.random.default_rng(1)
    layers = build_network("mobilenet_v2", 1, 0.0).features.layers
    weights = {}
    for name, module in layers.named_modules():
        if isinstance(module, nn.Conv2d):
            shape = tuple(module.weight.shape)
            spread = np.sqrt(2 / np.prod(shape[1:]))
            weights[f"features.{name}.weight"] = rng.normal(0, spread, shape).astype(np.float32)
            weights[f"features.{name}.bias"] = rng.normal(0, 0.1, shape[0]).astype(np.float32)
    return weights


def test_a_folded_norm_adds_the_bias_alone() -> None:
    network, weights = build_network("mobilenet_v2", 1, 0.0).eval(), folded()
    load_folded(network, weights)
    picture = torch.rand(1, 3, 64, 64)
    first = network.features.layers[0]
    with torch.inference_mode():
        found = first(picture)
        kernel, bias = (
            torch.tensor(weights[f"features.0.0.{name}"]) for name in ("weight", "bias")
        )
        expected = nn.functional.conv2d(picture, kernel, bias, stride=2, padding=1).clamp(0, 6)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def test_kernels_in_another_order_of_memory_are_the_same_kernels() -> None:
    network, other, weights = (*(build_network("mobilenet_v2", 1, 0.0) for _ in range(2)), folded())
    load_folded(network, weights)
    load_folded(other, {name: np.asfortranarray(value) for name, value in weights.items()})
    for one, two in zip(network.parameters(), other.parameters(), strict=True):
        if one.ndim > 1 and one.shape[0] != 2:
            torch.testing.assert_close(one, two)


def test_other_weights_are_refused() -> None:
    with pytest.raises(ModelFormatError, match=r"features.0.0.weight"):
        load_folded(build_network("mobilenet_v2", 1, 0.0), {})


def test_the_head_is_linear_in_features(lines: tuple[pd.DataFrame, np.ndarray]) -> None:
    table, images_NHW = lines
    network = build_network("mobilenet_v2", 1, 0.0).eval()
    kept = keep_features(network, table[:3], images_NHW[:3], 0, VariationParameters())
    with torch.inference_mode():
        head = nn.functional.linear(
            kept.features_MD, network.head.weight[:, :, 0, 0], network.head.bias
        )
        whole = network(torch.tensor(images_NHW[:3], dtype=torch.float32)[:, None] / 255)
    torch.testing.assert_close(head, whole, atol=1e-4, rtol=1e-4)


def test_a_transfer_with_fine_tuning_gives_a_recogniser(
    lines: tuple[pd.DataFrame, np.ndarray],
) -> None:
    parameters = TransferParameters(
        copies=1, most_lines=24, head_epochs=3, tuned_blocks=1, tuned_epochs=1
    )
    recogniser, seconds = transfer(*lines, folded(), parameters, VariationParameters(window=64))
    assert recogniser.spec["network"] == "mobilenet_v2"
    assert recogniser.probabilities(lines[1][:2]).shape == (2, 2)
    assert seconds > 0
