"""A small honest packaged model, logged as code: reads an image with Pillow, answers by its ink.

Its settings let a test have a model that is slow, or that breaks what a packaged model promises.
"""

import base64
import io
import math
import time
from pathlib import Path

import mlflow
import pandas as pd
from mlflow.pyfunc import PythonModel
from PIL import Image, UnidentifiedImageError

SYMBOLS = ("1", "і", "Т", "о", "Ш")
MAX_PIXELS = 4_000_000
MAGIC_BYTES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF")
COLUMNS = (
    "symbol", "label", "case", "confidence", "case_confidence", "is_symbol", "symbol_confidence",
    "alternatives",
)  # fmt: skip
BLOT_INK = 0.7


REFUSED = {
    **dict.fromkeys(("symbol", "label", "case", "confidence", "case_confidence")),
    "is_symbol": False,
    "symbol_confidence": 0.01,
}


class InkModel(PythonModel):
    def load_context(self, context):
        if canary := context.model_config["canary"]:
            Path(canary).touch()

    def predict(self, context, model_input, params=None):
        settings = context.model_config
        time.sleep(settings["delay_s"])
        rows = [recognise(data, settings) for data in model_input["image"]]
        if "explain" in model_input:
            rows = [row | settings["map"] for row in rows]
        return pd.DataFrame(rows)


def recognise(data: bytes, settings: dict) -> dict:
    try:
        image = read(data)
    except ValueError as error:
        code, detail = error.args
        return {**dict.fromkeys(COLUMNS), "error": code, "error_detail": detail}
    if image.width == settings["raises_at_width_px"]:
        raise RuntimeError("out of memory")
    if image.width == settings["hangs_at_width_px"]:
        time.sleep(settings["hangs_s"])
    pixels = image.convert("L").tobytes()
    ink = sum(255 - value for value in pixels) / (255 * len(pixels))
    if ink == 0:
        return {**dict.fromkeys(COLUMNS), "error": "empty_image", "error_detail": "No ink."}
    if ink > BLOT_INK:
        return {**answer(ink), **REFUSED}
    return {**answer(ink), "confidence": settings["confidence"] or answer(ink)["confidence"]}


def read(data: bytes) -> Image.Image:
    if not data.startswith(MAGIC_BYTES):
        raise ValueError("unsupported_format", "Expected PNG, JPEG or WebP.")
    try:
        image = Image.open(io.BytesIO(data), formats=["PNG", "JPEG", "WEBP"])
        if image.width * image.height > MAX_PIXELS:
            raise ValueError("image_too_large", f"Expected at most {MAX_PIXELS} pixels.")
        image.load()
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise ValueError("undecodable_image", "The file is broken.") from error
    return image


def answer(ink: float) -> dict:
    distances = [abs(ink - 0.1 * place) for place in range(len(SYMBOLS))]
    weights = [math.exp(-20 * distance) for distance in distances]
    ranked = sorted(zip(weights, SYMBOLS, strict=True), reverse=True)
    total, symbol = sum(weights), ranked[0][1]
    is_letter = symbol.isalpha()
    return {
        "symbol": symbol,
        "label": symbol.lower(),
        "case": ("lower" if symbol.islower() else "upper") if is_letter else None,
        "confidence": ranked[0][0] / total,
        "case_confidence": 0.9 if is_letter else math.nan,
        "is_symbol": True,
        "symbol_confidence": 0.99,
        "alternatives": [{"symbol": s, "probability": w / total} for w, s in ranked],
        "measures": {"ink_share": ink},
        "frame": base64.b64encode(bytes([0, 0, 0, 0, 255, 0, 0, 0, 0])).decode(),
        "error": None,
        "error_detail": None,
    }


mlflow.models.set_model(InkModel())
