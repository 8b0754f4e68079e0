"""From a trained network to the recogniser: ONNX, the search that is best, confidences made true.

Shapes: N lines, H x W pixels, T time steps, K outputs.
"""

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from bukva.core.arrays import Float32Array, UInt8Array
from bukva.core.evaluation.edits import Edits, are_right
from bukva.core.export import export_network, round_to_half, store_halves, write_onnx
from bukva.errors import ParityError
from bukva.tasks.line.charset import Charset, normalise
from bukva.tasks.line.confidence import Sureness, fit_sureness
from bukva.tasks.line.decoding import Search, search
from bukva.tasks.line.framing import HEIGHT, MARGIN, MOST_WIDTH, STRIDE
from bukva.tasks.line.language_model import LanguageModel
from bukva.tasks.line.networks import FromPixels, LineNetwork
from bukva.tasks.line.recogniser import LANGUAGE_MODEL_KEY, LineRecogniser
from bukva.tasks.line.training_parameters import DecodingParameters
from bukva.tasks.line.wording import Reading, spell

_TOLERANCE: Final = 1e-3
_CHECKED: Final = 24
_OPSET: Final = 20
_EXAMPLE_STEPS: Final = 16


class HeldLines(NamedTuple):
    """Lines that are not learnt from.

    Attributes:
        table: Rows of the sample table.
        images_NHW: Row-aligned with it.
        texts: What they say, normalised.
    """

    table: pd.DataFrame
    images_NHW: UInt8Array
    texts: tuple[str, ...]

    def inks(self) -> Iterator[UInt8Array]:
        """Yield each line as wide as it is."""
        for image_HW, width in zip(self.images_NHW, self.table["width_px"], strict=True):
            yield image_HW[:, :width]


def export(
    network: LineNetwork,
    told: Mapping[str, Any],
    charset: Charset,
    held: HeldLines,
    language_model: LanguageModel | None,
    decoding: DecodingParameters,
) -> LineRecogniser:
    """Return a trained network in ONNX, with the language model and what fits held lines best.

    Args:
        network: On any device; its weights are rounded to what float16 holds.
        told: What is written down of it beside.
        charset: Its outputs.
        held: Lines that it has not learnt from.
        language_model: Travels in the same file.
        decoding: What is tried.

    Raises:
        ParityError: If a logit differs from torch's by more than 0.001.
    """
    network = network.cpu().eval()
    round_to_half(network)
    example = {"images": torch.zeros((2, HEIGHT, STRIDE * _EXAMPLE_STEPS), dtype=torch.uint8)}
    steps = torch.export.Dim("T", min=2)
    proto = export_network(
        FromPixels(network).eval(), example, ["logits"], _OPSET, {2: STRIDE * steps}
    )
    store_halves(proto)
    spec: dict[str, Any] = {
        "task": "line",
        "charset": charset.characters,
        "preprocessing": {"height": HEIGHT, "margin": MARGIN, "most_width": MOST_WIDTH},
        "weights": sum(weight.numel() for weight in network.parameters()),
        "language_model": language_model.spec if language_model else None,
        "decoding": asdict(Search(beam=decoding.beam)),
        "sureness": {"word": Sureness(), "line": Sureness()},
        **told,
    }
    others = (
        {LANGUAGE_MODEL_KEY: base64.b64encode(language_model.to_bytes()).decode()}
        if language_model
        else {}
    )
    plain = LineRecogniser(write_onnx(proto, spec, others))
    check_parity(network, plain, list(held.inks())[:_CHECKED])
    logs = [plain.log_probabilities(ink_hw) if ink_hw.any() else None for ink_hw in held.inks()]
    read = [(log_TK, text) for log_TK, text in zip(logs, held.texts, strict=True)
            if log_TK is not None]  # fmt: skip
    every = max(1, len(read) // decoding.tried_lines)
    best = choose_search(read[::every], charset, language_model, decoding)
    sureness = fit_all(read, charset, language_model, best)
    spec |= {"decoding": asdict(best), "sureness": sureness}
    return LineRecogniser(write_onnx(proto, spec, others))


def check_parity(
    network: LineNetwork, recogniser: LineRecogniser, inks: Sequence[UInt8Array]
) -> None:
    """Return if both say the same of lines of any widths.

    Raises:
        ParityError: If not.
    """
    asked = FromPixels(network).eval()
    largest = 0.0
    with torch.inference_mode():
        for ink_hw in inks:
            ours_1TK = asked(torch.tensor(ink_hw)[None]).numpy()
            [theirs_1TK] = recogniser.run(["logits"], images=ink_hw[None])
            largest = float(np.maximum(largest, np.abs(ours_1TK - theirs_1TK).max()))
    if not largest <= _TOLERANCE:  # so that NaN is one, too
        message = f"Expected torch and ONNX to differ by at most {_TOLERANCE} in their logits"
        raise ParityError(f"{message}, got {largest:.2g}.")


Read = Sequence[tuple[Float32Array, str]]
"""What the network says of lines, and what they say."""


def choose_search(
    read: Read, charset: Charset, language_model: LanguageModel | None, tried: DecodingParameters
) -> Search:
    """Return the weight of the language model and the bonus that give the fewest edits."""
    best = Search(beam=tried.beam)
    if language_model is None or not read:
        return best
    candidates = [best] + [
        replace(best, weight=weight, bonus=bonus)
        for weight in tried.weights if weight for bonus in tried.bonuses
    ]  # fmt: skip
    edits = [
        _count_edits(read, charset, language_model, each)
        for each in tqdm(candidates, desc="language model", unit="setting")
    ]
    return candidates[int(np.argmin(edits))]


def _count_edits(
    read: Read, charset: Charset, language_model: LanguageModel, settings: Search
) -> int:
    found = [search(log_TK, settings, language_model)[0].indices for log_TK, _ in read]
    pairs = zip(read, found, strict=True)
    edits = (Edits.between(text, normalise(charset.decode(each))) for (_, text), each in pairs)
    return Edits.sum(edits).character_edits


def fit_all(
    read: Read, charset: Charset, language_model: LanguageModel | None, settings: Search
) -> dict[str, Sureness]:
    """Return how confidences of words and lines come about, so that they fit held lines."""
    words, words_right, lines, lines_right, weights = [], [], [], [], []
    for log_TK, text in read:
        reading = Reading(charset, log_TK, tuple(search(log_TK, settings, language_model)))
        seen = spell(reading)
        if not seen:
            continue
        edits = Edits.between(text, normalise(reading.text))
        words += [word.features for word in seen]
        words_right += are_right(text.split(), [normalise(word.text) for word in seen])
        lines.append(reading.features(seen))
        lines_right.append(max(0.0, 1 - edits.character_edits / max(1, edits.characters)))
        weights.append(max(1, edits.characters))
    return {
        "word": _fit(words, words_right, np.ones(len(words))),
        "line": _fit(lines, lines_right, np.array(weights, dtype=np.float64)),
    }


def _fit(features: Sequence[Any], right: Sequence[float], weights_N: np.ndarray) -> Sureness:
    return fit_sureness(
        np.array(features, dtype=np.float64).reshape(-1, len(Sureness._fields)),
        np.array(right, dtype=np.float64),
        weights_N,
    )
