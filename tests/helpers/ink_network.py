"""A small honest recogniser, its graph written by hand: it answers by the ink in the frame.

Its settings let a test have one that is slow, or that breaks: those are nodes of the graph too, so
that the service meets them where it would meet them in any version of the model.
"""

import json
import time
from functools import cache

import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

from bukva.core.predictor import SPEC_KEY
from bukva.tasks.glyph.charset import CLASSES, NO_SYMBOL
from bukva.tasks.glyph.preprocessing import PAGE_FEATURES, Preprocessing

# Each class with the share of ink at which it is the likeliest; of a full square it is 0.51.
INK = {"1": 0.02, "і": 0.1, "т": 0.2, "о": 0.3, "ш": 0.4, NO_SYMBOL: 0.51}
# What a drawing's place on the page does; one in the middle does nothing.
BREAKS_AT_TOP, HANGS_AT_BOTTOM = 0.3, 0.7
_HANGING_S = 60.0
_SIDE = 64


def make_ink_network(
    *,
    delay_s: float = 0.0,
    hanging_s: float = _HANGING_S,
    is_fragile: bool = False,
    has_map: bool = True,
    temperature: float = 1.0,
    labels: str = CLASSES,
) -> bytes:
    """The file of a recogniser.

    Args:
        delay_s: How long each call takes, on a core that does nothing else.
        hanging_s: How long one takes with a drawing at the bottom of its page, if it is fragile.
        is_fragile: Whether it hangs there, and raises with a drawing at the top.
        has_map: Whether it can say where it looked.
        temperature: Divides the logits; NaN makes all of them NaN.
        labels: What its outputs mean.
    """
    centres = [INK.get(name, -10.0) for name in labels]
    constants = {
        "scale": np.float32(255),
        "centres": np.array([centres], np.float32),
        "factor": np.float32(-20),
        "temperature": np.float32(temperature),
        "zero": np.float32(0),
        "column": np.array([PAGE_FEATURES.index("rel_center_y")]),
        "bottom": np.float32(HANGS_AT_BOTTOM),
        "top": np.float32(BREAKS_AT_TOP),
        "delay": np.int64(_turns(delay_s)),
        "hang": np.int64(_turns(hanging_s) if is_fragile else 0),
        "outside": np.int64(10**6 if is_fragile else 0),
        "none": np.int64(0),
        "true": np.bool_(True),
        "square": np.full((_SIDE, _SIDE), 1 / _SIDE, np.float32),
        "axes": np.array([1]),
        "case": np.float32(2.0),
    }
    nodes = [
        helper.make_node("Cast", ["images"], ["grey"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["grey", "scale"], ["ink_NHW"]),
        helper.make_node("ReduceMean", ["ink_NHW"], ["ink_N11"], axes=[1, 2], keepdims=1),
        helper.make_node("Squeeze", ["ink_N11", "axes"], ["ink_N1"]),
        helper.make_node("Sub", ["ink_N1", "centres"], ["away"]),
        helper.make_node("Abs", ["away"], ["distance"]),
        helper.make_node("Mul", ["distance", "factor"], ["likely"]),
        # What a drawing's place does: how often a loop turns, and what is looked up.
        helper.make_node("Gather", ["page", "column"], ["place_N1"], axis=1),
        helper.make_node("Greater", ["place_N1", "bottom"], ["is_low"]),
        helper.make_node("Less", ["place_N1", "top"], ["is_high"]),
        helper.make_node("Where", ["is_low", "hang", "none"], ["hanging"]),
        helper.make_node("ReduceMax", ["hanging"], ["longest"], keepdims=0),
        helper.make_node("Add", ["longest", "delay"], ["turns"]),
        helper.make_node(
            "Loop", ["turns", "true", "square"], ["worked"], body=_multiply_once()
        ),
        helper.make_node("Where", ["is_high", "outside", "none"], ["looked_up"]),
        helper.make_node("Gather", ["square", "looked_up"], ["found"], axis=0),
        # Neither changes the answer.
        helper.make_node("ReduceMax", ["worked"], ["most_worked"], keepdims=0),
        helper.make_node("ReduceMax", ["found"], ["most_found"], keepdims=0),
        helper.make_node("Mul", ["most_worked", "zero"], ["nothing"]),
        helper.make_node("Mul", ["most_found", "zero"], ["nothing_either"]),
        helper.make_node("Add", ["nothing", "nothing_either"], ["unchanged"]),
        helper.make_node("Add", ["likely", "unchanged"], ["logits"]),
        helper.make_node("Div", ["logits", "temperature"], ["label_logits"]),
        helper.make_node("ReduceMean", ["ink_NHW"], ["ink_N"], axes=[1, 2], keepdims=0),
        helper.make_node("Sub", ["ink_N", "ink_N"], ["zeros_N"]),
        helper.make_node("Add", ["zeros_N", "case"], ["case_logits"]),
    ]  # fmt: skip
    outputs = [
        helper.make_tensor_value_info("label_logits", TensorProto.FLOAT, ["N", len(labels)]),
        helper.make_tensor_value_info("case_logits", TensorProto.FLOAT, ["N"]),
    ]
    inputs = [
        helper.make_tensor_value_info("images", TensorProto.UINT8, ["N", 28, 28]),
        helper.make_tensor_value_info("page", TensorProto.FLOAT, ["N", len(PAGE_FEATURES)]),
    ]
    if has_map:
        nodes.append(
            helper.make_node("AveragePool", ["ink_N1HW"], ["pooled_N1hw"], kernel_shape=[14, 14],
                             strides=[14, 14])
        )  # fmt: skip
        nodes.append(helper.make_node("Mul", ["pooled_N1hw", "rows"], ["map_N1hw"]))
        constants["rows"] = np.array([[1], [2]], np.float32)  # the lower half tells more
        nodes.insert(2, helper.make_node("Unsqueeze", ["ink_NHW", "axes"], ["ink_N1HW"]))
        nodes.append(helper.make_node("Squeeze", ["map_N1hw", "axes"], ["grad_cam"]))
        inputs.append(helper.make_tensor_value_info("explain", TensorProto.BOOL, []))
        constants["explain"] = np.bool_(False)
        outputs.append(helper.make_tensor_value_info("grad_cam", TensorProto.FLOAT, ["N", 2, 2]))
    graph = helper.make_graph(
        nodes, "ink", inputs, outputs,
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    spec = {"labels": labels, "preprocessing": Preprocessing().to_dict(), "symbol_threshold": 0.5}
    helper.set_model_props(model, {SPEC_KEY: json.dumps(spec, ensure_ascii=False)})
    return bytes(model.SerializeToString())


def _multiply_once() -> object:
    """The body of a loop whose value stays as it is, and which takes a while."""
    return helper.make_graph(
        [
            helper.make_node("MatMul", ["before", "square"], ["after"]),
            helper.make_node("Identity", ["goes_on"], ["goes_on_too"]),
        ],
        "turn",
        [
            helper.make_tensor_value_info("number", TensorProto.INT64, []),
            helper.make_tensor_value_info("goes_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("before", TensorProto.FLOAT, [_SIDE, _SIDE]),
        ],
        [
            helper.make_tensor_value_info("goes_on_too", TensorProto.BOOL, []),
            helper.make_tensor_value_info("after", TensorProto.FLOAT, [_SIDE, _SIDE]),
        ],
    )


def _turns(seconds: float) -> int:
    """How many turns of the loop take so long here."""
    return round(seconds / _seconds_of_a_turn()) if seconds else 0


@cache
def _seconds_of_a_turn(turns: int = 10_000) -> float:
    square = np.full((_SIDE, _SIDE), 1 / _SIDE, np.float32)
    graph = helper.make_graph(
        [helper.make_node("Loop", ["turns", "true", "square"], ["worked"], body=_multiply_once())],
        "clock",
        [helper.make_tensor_value_info("turns", TensorProto.INT64, [])],
        [helper.make_tensor_value_info("worked", TensorProto.FLOAT, [_SIDE, _SIDE])],
        [
            numpy_helper.from_array(square, "square"),
            numpy_helper.from_array(np.asarray(True), "true"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(model.SerializeToString(), options)
    begun_s = time.thread_time()
    session.run(None, {"turns": np.asarray(turns)})
    return (time.thread_time() - begun_s) / turns
