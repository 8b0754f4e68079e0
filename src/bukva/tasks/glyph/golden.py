"""Golden samples: images with the answers that a recogniser gave when it was packaged.

Shapes: N samples, H x W pixels.
"""

import base64
import json
from typing import Any

import numpy as np
import pandas as pd

from bukva.core.arrays import UInt8Array
from bukva.core.imaging.upscaling import encode_page
from bukva.tasks.glyph import charset
from bukva.tasks.glyph.recogniser import Recogniser, check_golden
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
    """Check the table that `golden_samples` returned: see `recogniser.check_golden`."""
    check_golden(recogniser, _to_rows(golden), tolerance)


def write_golden(golden: pd.DataFrame) -> bytes:
    """Return golden samples as JSON, as `bukva.registry.package_files.GOLDEN` describes it."""
    rows = _to_rows(golden)
    written = [row | {"image": base64.b64encode(row["image"]).decode("ascii")} for row in rows]
    return json.dumps(written, ensure_ascii=False).encode()


def _to_rows(golden: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as `check_golden` takes them: with None where the table has no value."""
    names = ["symbol", "confidence", "image"]
    known = golden[names].astype(object)
    rows = known.where(known.notna(), None).itertuples(index=False)
    return [dict(zip(names, row, strict=True)) for row in rows]


def encode_png(image_HW: UInt8Array) -> bytes:
    """Return a framed symbol as a PNG file of a page, dark ink on white."""
    return encode_page(np.pad(255 - image_HW, image_HW.shape[0] // 4, constant_values=255))
