"""From a network in torch to an ONNX file that carries its specification.

Shapes: N images, H x W pixels.
"""

import io
import json
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from bukva.core.arrays import UInt8Array
from bukva.core.predictor import SPEC_KEY, OnnxModel
from bukva.core.training.classification import predict_logits
from bukva.errors import ParityError

if TYPE_CHECKING:
    import onnx

_TOLERANCE: Final = 1e-3
_LEAST_HALVED: Final = 1024
"""Values from which an array is stored in half its room; the others together need hardly any."""


class _FromPixels(nn.Module):
    """Takes images as they are stored, so that scaling is part of the file."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images_NHW: Tensor) -> Any:
        return self.network(scale_pixels(images_NHW))


def scale_pixels(images_NHW: Tensor) -> Tensor:
    """Return uint8 images as ink 0..1 with a channel, `(N, 1, H, W)`."""
    return images_NHW.unsqueeze(1).float() / 255.0


def export_network(
    network: nn.Module,
    inputs: Mapping[str, Tensor],
    outputs: Sequence[str],
    opset: int,
    free: Mapping[int, Any] | None = None,
) -> "onnx.ModelProto":
    """Return a network in ONNX; it takes any number of images.

    Args:
        network: In evaluation mode.
        inputs: An example of each by name, the number of images in its first place, at least 2.
        outputs: Their names, in the network's order.
        opset: ONNX operator set.
        free: Further axes of the inputs that may have any length, each a `torch.export.Dim`.
    """
    axes = {0: torch.export.Dim("N", min=1), **(free or {})}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter's own deprecations
        program: Any = torch.onnx.export(
            network,
            tuple(inputs.values()),
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_shapes=tuple(axes for _ in inputs),
            opset_version=opset,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    proto: onnx.ModelProto = program.model_proto
    return proto


@torch.no_grad()
def round_to_half(network: nn.Module) -> None:
    """Change large arrays of weights to the nearest that float16 holds, 11 bits of each."""
    for weight in network.parameters():
        if weight.numel() >= _LEAST_HALVED:
            weight.copy_(weight.half().float())


def store_halves(proto: "onnx.ModelProto") -> None:
    """Store float32 arrays as float16 where that loses nothing, each cast back as it is loaded."""
    from onnx import TensorProto, helper, numpy_helper

    graph = proto.graph
    casts = []
    for stored in [each for each in graph.initializer if each.data_type == TensorProto.FLOAT]:
        values = numpy_helper.to_array(stored)
        halves = values.astype(np.float16)
        if values.size < _LEAST_HALVED or not np.array_equal(halves.astype(np.float32), values):
            continue
        name = stored.name
        stored.CopyFrom(numpy_helper.from_array(halves, f"{name}_half"))
        casts.append(helper.make_node("Cast", [stored.name], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def export_classifier(
    network: nn.Module, spec: Mapping[str, Any], checked_NHW: UInt8Array, opset: int = 20
) -> bytes:
    """Return a network of one output as ONNX: `images` uint8 in, `logits` `(N, K)` out.

    Args:
        network: On the CPU, in evaluation mode; takes ink 0..1 `(N, 1, H, W)`.
        spec: Its specification.
        checked_NHW: Images on which both must answer the same.
        opset: ONNX operator set.

    Raises:
        ParityError: If a logit differs by more than 0.001.
    """
    example = {"images": torch.tensor(checked_NHW[:2])}
    file = write_onnx(export_network(_FromPixels(network), example, ["logits"], opset), spec)
    [found_NK] = OnnxModel(file).run(["logits"], images=checked_NHW)
    largest = float(np.abs(predict_logits(network, checked_NHW) - found_NK).max())
    if not largest <= _TOLERANCE:  # so that NaN is one, too
        message = f"Expected torch and ONNX to differ by at most {_TOLERANCE} in their logits"
        raise ParityError(f"{message}, got {largest:.2g}.")
    return file


def write_onnx(
    proto: "onnx.ModelProto", spec: Mapping[str, Any], others: Mapping[str, str] | None = None
) -> bytes:
    """Return the bytes of an ONNX file, a specification in its metadata `bukva.spec` as JSON.

    Args:
        proto: The network.
        spec: Its specification.
        others: What else stands in the metadata, by name.
    """
    import onnx

    described = {SPEC_KEY: json.dumps(spec, ensure_ascii=False), **(others or {})}
    onnx.helper.set_model_props(proto, described)
    onnx.checker.check_model(proto)
    buffer = io.BytesIO()
    onnx.save_model(proto, buffer)
    return buffer.getvalue()
