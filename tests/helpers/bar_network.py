"""A small honest recogniser of lines, its graph written by hand: it reads bars by their height.

A bar from top to bottom is ї, one half as high is о, a short one in the middle a space; what else
a network could say is never likely. Pictures of such lines: `draw_bars`.
"""

import base64
import json
from dataclasses import asdict

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from PIL import Image, ImageDraw

from bukva.core.predictor import SPEC_KEY
from bukva.tasks.line.charset import UNION, Charset
from bukva.tasks.line.confidence import Sureness
from bukva.tasks.line.decoding import Search
from bukva.tasks.line.framing import HEIGHT, MARGIN, MOST_WIDTH, STRIDE
from bukva.tasks.line.language_model import LanguageModel
from bukva.tasks.line.recogniser import LANGUAGE_MODEL_KEY

HEIGHTS = {"ї": 1.0, "о": 0.55, " ": 0.25}
"""Of the bar that each character is, as shares of the line's."""
DOUBTFUL = {"?": 0.76}
"""Of what may be one or the other, and rather is о."""
_BAR, _GAP = 0.12, 0.35  # how wide they are, likewise
_NEVER = -60.0
_SHARPNESS = 150.0


def make_bar_network(
    *, task: str = "line", charset: Charset = UNION, temperature: float = 1.0, turned: bool = False
) -> bytes:
    """The file of a recogniser.

    Args:
        task: What stands in its specification.
        charset: What it has outputs for; must hold what is read.
        temperature: Divides the logits; NaN makes all of them NaN.
        turned: Whether it calls ї what is о, and the other way round.
    """
    names = dict(zip("їо ", "ої ", strict=True)) if turned else {each: each for each in HEIGHTS}
    inner = 1 - 2 * MARGIN
    seen = {0: 0.0} | {charset.encode(names[c])[0]: inner * h for c, h in HEIGHTS.items()}
    places_LK = np.zeros((len(seen), len(charset)), np.float32)
    places_LK[np.arange(len(seen)), list(seen)] = 1
    never_K = np.full(len(charset), _NEVER, np.float32)
    never_K[list(seen)] = 0
    constants = {
        "is_ink": np.float32(120),
        "axis": np.array([1]),
        "last": np.array([2]),
        "shares_L": np.array(list(seen.values()), np.float32),
        "sharpness": np.float32(-_SHARPNESS / temperature),
        "places_LK": places_LK,
        "never_K": never_K,
    }
    nodes = [
        helper.make_node("Cast", ["images"], ["grey_NHW"], to=TensorProto.FLOAT),
        helper.make_node("Greater", ["grey_NHW", "is_ink"], ["ink_NHW"]),
        helper.make_node("Cast", ["ink_NHW"], ["one_NHW"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["one_NHW"], ["share_N1W"], axes=[1], keepdims=1),
        helper.make_node("MaxPool", ["share_N1W"], ["step_N1T"], kernel_shape=[STRIDE],
                         strides=[STRIDE]),
        helper.make_node("Squeeze", ["step_N1T", "axis"], ["step_NT"]),
        helper.make_node("Unsqueeze", ["step_NT", "last"], ["step_NT1"]),
        helper.make_node("Sub", ["step_NT1", "shares_L"], ["off_NTL"]),
        helper.make_node("Mul", ["off_NTL", "off_NTL"], ["square_NTL"]),
        helper.make_node("Mul", ["square_NTL", "sharpness"], ["near_NTL"]),
        helper.make_node("MatMul", ["near_NTL", "places_LK"], ["near_NTK"]),
        helper.make_node("Add", ["near_NTK", "never_K"], ["logits"]),
    ]  # fmt: skip
    graph = helper.make_graph(
        nodes,
        "bars",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["N", HEIGHT, "W"])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", "T", len(charset)])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    likely = LanguageModel.count(["її ої"], charset, order=3, least_count=1, corpora=["bars"])
    spec = {
        "task": task,
        "charset": charset.characters,
        "preprocessing": {"height": HEIGHT, "margin": MARGIN, "most_width": MOST_WIDTH},
        "decoding": asdict(Search(beam=4, weight=0.1)),
        "sureness": {"word": Sureness(), "line": Sureness()},
    }
    packed = base64.b64encode(likely.to_bytes()).decode()
    helper.set_model_props(model, {SPEC_KEY: json.dumps(spec), LANGUAGE_MODEL_KEY: packed})
    return bytes(model.SerializeToString())


def draw_bars(
    text: str, height: int = 60, *, margin: int = 20, shade: tuple[int, int] = (40, 235)
) -> Image.Image:
    """The picture of a line.

    Args:
        text: Of the characters of HEIGHTS and DOUBTFUL.
        height: Of the line, in pixels.
        margin: Around it.
        shade: Grey of the ink, and of the paper.
    """
    bar, gap = round(_BAR * height), round(_GAP * height)
    width = max(len(text) * (bar + gap) - gap, 0) + 2 * margin
    picture = Image.new("L", (max(width, 200), height + 2 * margin), shade[1])
    pen = ImageDraw.Draw(picture)
    for place, character in enumerate(text):
        left, tall = margin + place * (bar + gap), round((HEIGHTS | DOUBTFUL)[character] * height)
        top = margin + (height - tall) // 2
        pen.rectangle((left, top, left + bar - 1, top + tall - 1), fill=shade[0])
    return picture
