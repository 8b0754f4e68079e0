"""From a trained model to an ONNX file that carries its specification.

Shapes: N images, H x W pixels, F page features, K labels.
"""

import io
import json
import warnings
from typing import Any

import onnx
import torch
from torch import Tensor, nn

from bukva.inference.recogniser import SPEC_KEY
from bukva.models.trained import TrainedModel


class _FromUint8(nn.Module):
    """Takes images as they are stored, so that scaling is part of the file."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images_NHW: Tensor, page_NF: Tensor) -> tuple[Tensor, Tensor]:
        label_logits_NK, case_logits_N = self.network(
            images_NHW.unsqueeze(1).float() / 255.0, page_NF
        )
        return label_logits_NK, case_logits_N


def export_onnx(model: TrainedModel, opset: int) -> bytes:
    """Return the model as an ONNX file.

    Inputs: `images` uint8 `(N, H, W)` and `page` float32 `(N, F)`, NaN where unknown. Outputs:
    `label_logits` `(N, K)` and `case_logits` `(N,)`, float32. The metadata `bukva.spec` holds the
    specification as JSON.

    Args:
        model: What to export.
        opset: ONNX operator set.

    Returns:
        The bytes of the file.
    """
    side = int(model.spec.preprocessing["frame_px"])
    example = (
        torch.zeros((2, side, side), dtype=torch.uint8),
        torch.zeros((2, len(model.spec.page_features))),
    )
    count = torch.export.Dim("N", min=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter's own deprecations
        program: Any = torch.onnx.export(
            _FromUint8(model.to_network()).eval(),
            example,
            input_names=["images", "page"],
            output_names=["label_logits", "case_logits"],
            dynamic_shapes=({0: count}, {0: count}),
            opset_version=opset,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    return _with_spec(program.model_proto, model)


def _with_spec(proto: onnx.ModelProto, model: TrainedModel) -> bytes:
    spec = model.spec.model_dump(mode="json") | {"weights_sha256": model.digest()}
    onnx.helper.set_model_props(proto, {SPEC_KEY: json.dumps(spec, ensure_ascii=False)})
    onnx.checker.check_model(proto)
    buffer = io.BytesIO()
    onnx.save_model(proto, buffer)
    return buffer.getvalue()
