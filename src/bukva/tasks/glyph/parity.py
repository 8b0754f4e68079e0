"""Whether the recogniser answers as the model that it was made from.

Shapes: N samples, H x W pixels.
"""

import numpy as np
import pandas as pd

from bukva.core.arrays import UInt8Array
from bukva.errors import ParityError
from bukva.tasks.glyph.answer import sigmoid, softmax
from bukva.tasks.glyph.recogniser import Recogniser
from bukva.tasks.glyph.table import page_features
from bukva.tasks.glyph.trained import TrainedModel, predict_logits


def check_parity(
    model: TrainedModel,
    recogniser: Recogniser,
    table: pd.DataFrame,
    images_NHW: UInt8Array,
    *,
    tolerance: float,
) -> dict[str, float]:
    """Compare the probabilities of both on the same images.

    Args:
        model: In torch.
        recogniser: In ONNX.
        table: Samples, row-aligned with the images, with page features.
        images_NHW: uint8 images.
        tolerance: Largest difference in probability, 0..1, that is allowed.

    Returns:
        `images`, `max_label_difference`, `max_case_difference`.

    Raises:
        ParityError: If any probability differs by more than the tolerance.
    """
    page_NF = page_features(table)
    logits = predict_logits(model.to_network(), images_NHW, page_NF)
    found = recogniser.probabilities(images_NHW, page_NF)
    label_difference = float(np.abs(softmax(logits.label_NK) - found.label_NK).max())
    case_difference = float(np.abs(sigmoid(logits.case_N) - found.uppercase_N).max())
    # Not a maximum of both: Python's forgets a NaN in second place.
    if not (label_difference <= tolerance and case_difference <= tolerance):
        message = (
            f"Expected torch and ONNX to differ by at most {tolerance} in probability on "
            f"{len(table)} images, got {label_difference:.2g} (label), {case_difference:.2g} "
            "(case). Try another packaging.opset."
        )
        raise ParityError(message)
    return {
        "images": float(len(table)),
        "max_label_difference": label_difference,
        "max_case_difference": case_difference,
    }
