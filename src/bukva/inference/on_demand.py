"""An output of an ONNX graph that is computed only when it is asked for.

onnxruntime computes every output of a graph, whichever a caller fetches.
"""

from onnx import GraphProto, NodeProto, TensorProto, helper


def compute_if_asked(graph: GraphProto, output: str, *, asked_by: str) -> None:
    """Move what only one output needs into the branch of an `If`, in place.

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
