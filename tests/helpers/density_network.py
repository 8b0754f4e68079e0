"""A small honest recogniser of documents, its graph written by hand: thick strokes are printed."""

import json

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from bukva.core.predictor import SPEC_KEY

_HEIGHT, _WIDTH = 64, 512
_CELL = 16
_THICK_FROM = 0.1
"""Share of the ink that is left when it is thinned, between thin strokes and thick ones."""


def make_density_network(
    *, task: str = "document", temperature: float = 1.0, side_of_print: float = 1.0
) -> bytes:
    """The file of a recogniser.

    Args:
        task: What stands in its specification.
        temperature: Divides the logits; NaN makes all of them NaN.
        side_of_print: -1 calls print handwritten, and the other way round.
    """
    constants = {
        "scale": np.float32(255),
        "axis": np.array([1]),
        "thick": np.float32(_THICK_FROM),
        "least": np.float32(1e-6),
        "places": np.array([2, 3]),
        "sides": np.array([-30.0, 30.0], np.float32).reshape(1, 2, 1, 1)
        * np.float32(side_of_print),
    }
    pooled = {"kernel_shape": [_CELL, _CELL], "strides": [_CELL, _CELL]}
    nodes = [
        helper.make_node("Cast", ["images"], ["grey"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["grey", "scale"], ["ink_NHW"]),
        helper.make_node("Unsqueeze", ["ink_NHW", "axis"], ["ink_N1HW"]),
        # How thick the strokes are: what is left of the ink when it is thinned.
        helper.make_node("Neg", ["ink_N1HW"], ["paper_N1HW"]),
        helper.make_node("MaxPool", ["paper_N1HW"], ["grown_N1HW"], kernel_shape=[7, 7],
                         strides=[1, 1], pads=[3, 3, 3, 3]),
        helper.make_node("Neg", ["grown_N1HW"], ["thinned_N1HW"]),
        helper.make_node("AveragePool", ["thinned_N1HW"], ["left_N1hw"], **pooled),
        helper.make_node("AveragePool", ["ink_N1HW"], ["all_N1hw"], **pooled),
        helper.make_node("ReduceMean", ["left_N1hw"], ["left_N111"], axes=[2, 3], keepdims=1),
        helper.make_node("ReduceMean", ["all_N1hw"], ["all_N111"], axes=[2, 3], keepdims=1),
        helper.make_node("Add", ["all_N111", "least"], ["some_N111"]),
        helper.make_node("Div", ["left_N111", "some_N111"], ["share_N111"]),
        helper.make_node("Sub", ["share_N111", "thick"], ["over_N111"]),
        helper.make_node("Mul", ["over_N111", "sides"], ["logits_NK11"]),
        helper.make_node("Squeeze", ["logits_NK11", "places"], ["logits"]),
        helper.make_node("Mul", ["all_N1hw", "logits_NK11"], ["maps"]),
    ]  # fmt: skip
    maps = ["N", 2, _HEIGHT // _CELL, _WIDTH // _CELL]
    graph = helper.make_graph(
        nodes,
        "density",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["N", _HEIGHT, _WIDTH])],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 2]),
            helper.make_tensor_value_info("maps", TensorProto.FLOAT, maps),
        ],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    spec = {
        "task": task,
        "labels": ["handwritten", "printed"],
        "preprocessing": {"height": _HEIGHT, "width": _WIDTH, "margin": 0.06},
        "temperature": temperature,
    }
    helper.set_model_props(model, {SPEC_KEY: json.dumps(spec)})
    return bytes(model.SerializeToString())
