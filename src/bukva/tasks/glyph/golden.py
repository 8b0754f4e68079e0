"""Golden samples: images with the answers that a recogniser gave when it was packaged.

Shapes: N samples, H x W pixels.
"""

import base64
import io
import json

import numpy as np
import pandas as pd
from PIL import Image

from bukva.core.arrays import UInt8Array
from bukva.errors import ModelFormatError, ParityError
from bukva.tasks.glyph import charset
from bukva.tasks.glyph.recogniser import Recogniser
from bukva.tasks.glyph.table import is_symbol


def golden_samples(
    recogniser: Recogniser, table: pd.DataFrame, images_NHW: UInt8Array, per_symbol: int
) -> pd.DataFrame:
    """Choose test images of every symbol and record what is answered for them.

    Args:
        recogniser: What answers.
        table: The sample table.
        images_NHW: uint8 images, row-aligned with it.
        per_symbol: How many of each symbol.

    Returns:
        One row a sample: `image` (a PNG file, dark on light), `true_symbol`, and what is answered:
        `symbol` (missing where the image is refused), `confidence` and `symbol_confidence`.
    """
    table = table.reset_index(drop=True)
    tests = table[table["split"].eq("test") & is_symbol(table)]
    chosen = tests.groupby(["label", "is_uppercase"], dropna=False, sort=True).head(per_symbol)
    images = pd.Series([encode_png(images_NHW[row]) for row in chosen.index])
    answers = recogniser.recognise(images)
    symbols = [
        charset.to_symbol(label, None if pd.isna(is_uppercase) else bool(is_uppercase))
        for label, is_uppercase in zip(chosen["label"], chosen["is_uppercase"], strict=True)
    ]
    return pd.DataFrame(
        {
            "image": images,
            "true_symbol": symbols,
            "symbol": answers["symbol"].astype("str"),
            "confidence": answers["confidence"].astype(float),
            "symbol_confidence": answers["symbol_confidence"].astype(float),
        }
    )


def check_golden_samples(
    recogniser: Recogniser, golden: pd.DataFrame, tolerance: float = 1e-3
) -> None:
    """Compare what a recogniser answers with what was answered when it was packaged.

    Args:
        recogniser: What answers.
        golden: As `golden_samples` returns it.
        tolerance: Largest difference in confidence, 0..1: processors differ in the last digits.

    Raises:
        ParityError: If any symbol, or any confidence by more than the tolerance, differs.
    """
    golden = golden.reset_index(drop=True)
    answers = recogniser.recognise(golden["image"])
    found, expected = answers["symbol"].fillna("none"), golden["symbol"].fillna("none")
    change = (answers["confidence"].astype(float) - golden["confidence"]).abs()
    is_other = found.ne(expected) | change.gt(tolerance)
    if is_other.any():
        first = int(is_other.to_numpy().argmax())
        message = (
            f"Expected the answers of {len(golden)} golden samples, got {is_other.sum()} others, "
            f"such as {found[first]!r} for {expected[first]!r}, the confidence off by "
            f"{change[first]:.2g}. The files of the model do not belong together."
        )
        raise ParityError(message)


def write_golden(golden: pd.DataFrame) -> bytes:
    """Return golden samples as JSON, as `bukva.registry.package_files.GOLDEN` describes it."""
    texts = [base64.b64encode(image).decode("ascii") for image in golden["image"]]
    known = golden[["symbol", "confidence"]].astype(object)
    rows = known.where(known.notna(), None).assign(image=texts).to_dict(orient="records")
    return json.dumps(rows, ensure_ascii=False).encode()


def read_golden(content: bytes) -> pd.DataFrame:
    """Return golden samples, as `check_golden_samples` takes them, from what `write_golden` wrote.

    Raises:
        ModelFormatError: If that is something else.
    """
    try:
        golden = pd.DataFrame(json.loads(content), columns=["image", "symbol", "confidence"])
        images = [base64.b64decode(image, validate=True) for image in golden["image"]]
    except (ValueError, TypeError) as error:
        message = f"Expected a list of images with their answers as golden samples, got: {error}"
        raise ModelFormatError(f"{message}. Package the model again.") from error
    return golden.assign(image=images, confidence=golden["confidence"].astype(float))


def encode_png(image_HW: UInt8Array) -> bytes:
    """Return a framed symbol as a PNG file of a page, dark ink on white."""
    buffer = io.BytesIO()
    page_HW = np.pad(255 - image_HW, image_HW.shape[0] // 4, constant_values=255)
    Image.fromarray(page_HW).save(buffer, "PNG")
    return buffer.getvalue()
