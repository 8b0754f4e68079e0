"""From a trained model to an ONNX file that carries its specification.

Shapes: N images, H x W pixels, F page features, K labels.
"""

import torch
from onnx import GraphProto, NodeProto, TensorProto, helper
from torch import Tensor, nn

from bukva.core.export import export_network, scale_pixels, write_onnx
from bukva.tasks.glyph.charset import NO_SYMBOL
from bukva.tasks.glyph.feature_map import MappedNetwork, cut_at_map
from bukva.tasks.glyph.recogniser import MAP_INPUT, MAP_OUTPUT
from bukva.tasks.glyph.trained import TrainedModel


class _WithPage(nn.Module):
    """Takes images as they are stored, so that scaling is part of the file."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images_NHW: Tensor, page_NF: Tensor) -> tuple[Tensor, ...]:
        answers: tuple[Tensor, ...] = self.network(scale_pixels(images_NHW), page_NF)
        return answers


class _WithMap(nn.Module):
    """The same, with the map of what speaks for the likeliest label."""

    def __init__(self, mapped: MappedNetwork, label_count: int) -> None:
        super().__init__()
        self.mapped = mapped
        self.label_count = label_count

    def forward(self, images_NHW: Tensor, page_NF: Tensor) -> tuple[Tensor, ...]:
        return self.mapped.answer_with_map(scale_pixels(images_NHW), page_NF, self.label_count)


def export_onnx(model: TrainedModel, opset: int) -> bytes:
    """Return the model as an ONNX file.

    Inputs: `images` uint8 `(N, H, W)` and `page` float32 `(N, F)`, NaN where unknown. Outputs:
    `label_logits` `(N, K)` and `case_logits` `(N,)`, float32. The metadata `bukva.spec` holds the
    specification as JSON.

    A network whose Grad-CAM can be written out has the output `grad_cam` too, float32 `(N, h, w)`:
    where its last feature map speaks for the likeliest label. It is empty, and costs nothing,
    unless the optional input `explain` (a boolean) is true.

    Args:
        model: What to export.
        opset: ONNX operator set.

    Returns:
        The bytes of the file.
    """
    side = int(model.spec.preprocessing["frame_px"])
    example = {
        "images": torch.zeros((2, side, side), dtype=torch.uint8),
        "page": torch.zeros((2, len(model.spec.page_features))),
    }
    network, outputs = _choose_outputs(model, side)
    proto = export_network(network, example, outputs, opset)
    if MAP_OUTPUT in outputs:
        compute_if_asked(proto.graph, MAP_OUTPUT, asked_by=MAP_INPUT)
    spec = model.spec.model_dump(mode="json") | {"weights_sha256": model.digest()}
    return write_onnx(proto, spec)


def _choose_outputs(model: TrainedModel, side: int) -> tuple[nn.Module, list[str]]:
    """Return what is exported, and the names of what it answers."""
    network, logits = model.to_network(), ["label_logits", "case_logits"]
    mapped = cut_at_map(network, side)
    if mapped is None or not mapped.has_written_gradient:
        return _WithPage(network).eval(), logits
    label_count = len(model.spec.labels.replace(NO_SYMBOL, ""))
    return _WithMap(mapped, label_count).eval(), [*logits, MAP_OUTPUT]


def compute_if_asked(graph: GraphProto, output: str, *, asked_by: str) -> None:
    """Move what only one output needs into the branch of an `If`, in place.

    onnxruntime computes every output of a graph, whichever a caller fetches.

    Args:
        graph: With at least one other output.
        output: Its name; float32. It is empty where it was not asked for.
        asked_by: Name of a new input, a boolean that is false where nobody gives it.
    """
    [value] = [item for item in graph.output if item.name == output]
    others = {item.name for item in graph.output} - {output}
    kept = _needed_for(graph, others)
    moved = [node for node in graph.node if not kept.issuperset(node.output)]
    rank = len(value.type.tensor_type.shape.dim)
    value.CopyFrom(helper.make_tensor_value_info(output, TensorProto.FLOAT, [None] * rank))
    rename = {output: f"{output}_asked"}
    for node in moved:
        node.output[:] = [rename.get(name, name) for name in node.output]
    choice = helper.make_node(
        "If",
        [asked_by],
        [output],
        then_branch=_branch("asked", moved, rename[output], rank),
        else_branch=_branch("not_asked", [_nothing(f"{output}_empty", rank)],
                            f"{output}_empty", rank),
    )  # fmt: skip
    remaining = [node for node in graph.node if kept.issuperset(node.output)]
    del graph.node[:]
    graph.node.extend([*remaining, choice])
    # What is an input and has a value beside it need not be given.
    graph.input.append(helper.make_tensor_value_info(asked_by, TensorProto.BOOL, []))
    graph.initializer.append(helper.make_tensor(asked_by, TensorProto.BOOL, [], [False]))


def _needed_for(graph: GraphProto, outputs: set[str]) -> set[str]:
    """Return the names of all values that some outputs are made of, and their own."""
    needed = set(outputs)
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            needed.update(node.input, node.output)
    return needed


def _branch(name: str, nodes: list[NodeProto], output: str, rank: int) -> GraphProto:
    value = helper.make_tensor_value_info(output, TensorProto.FLOAT, [None] * rank)
    return helper.make_graph(nodes, name, [], [value])


def _nothing(name: str, rank: int) -> NodeProto:
    empty = helper.make_tensor(name, TensorProto.FLOAT, [0] * rank, [])
    return helper.make_node("Constant", [], [name], value=empty)
