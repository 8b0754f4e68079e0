"""Networks in ONNX: any length of the axes that are free, and half the room for weights."""

import numpy as np
import torch
from torch import nn

from bukva.core.export import export_network, round_to_half, store_halves, write_onnx
from bukva.core.predictor import OnnxModel

SPEC = {"task": "none"}


def make_network() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(nn.Conv1d(8, 64, 3, padding=1), nn.ReLU(), nn.Conv1d(64, 16, 1)).eval()


def export(network: nn.Module, *, halved: bool = False) -> bytes:
    free = {2: torch.export.Dim("T", min=1)}
    proto = export_network(network, {"x": torch.zeros((2, 8, 12))}, ["y"], 20, free=free)
    if halved:
        store_halves(proto)
    return write_onnx(proto, SPEC, {"own": "words"})


def run(file: bytes, steps: int) -> np.ndarray:
    x = np.random.default_rng(steps).normal(size=(1, 8, steps)).astype(np.float32)
    [y] = OnnxModel(file).run(["y"], x=x)
    return np.asarray(y)


def test_a_free_axis_may_have_any_length() -> None:
    network = make_network()
    file = export(network)
    for steps in (3, 12, 500):
        x = np.random.default_rng(steps).normal(size=(1, 8, steps)).astype(np.float32)
        with torch.inference_mode():
            expected = network(torch.from_numpy(x)).numpy()
        np.testing.assert_allclose(run(file, steps), expected, atol=1e-5)


def test_rounded_weights_are_stored_in_half_the_room_and_answer_the_same() -> None:
    network = make_network()
    round_to_half(network)
    whole, halved = export(network), export(network, halved=True)
    large = sum(weight.numel() for weight in network.parameters() if weight.numel() >= 1024)
    assert len(whole) - len(halved) > 1.9 * large
    np.testing.assert_array_equal(run(whole, 20), run(halved, 20))


def test_what_float16_does_not_hold_is_stored_whole() -> None:
    network = make_network()
    whole, halved = export(network), export(network, halved=True)
    np.testing.assert_array_equal(run(whole, 20), run(halved, 20))


def test_a_file_says_what_was_written_into_it() -> None:
    model = OnnxModel(export(make_network()))
    assert model.spec == SPEC
    assert model.metadata["own"] == "words"
