"""An endpoint of the usual shape, to compare with: FastAPI, multipart, torch eager, one process.

python benchmarks/load/peer_endpoint.py PORT

It answers with the same released weights, decoded and preprocessed the same way; it bounds and
checks nothing. One thread: on so small a network torch is fastest so.
"""

import json
import sys
from typing import Annotated, Any

import numpy as np
import torch
import uvicorn
from fastapi import FastAPI, File
from safetensors.numpy import load_file

from bukva.cli.released.manifest import RELEASED, WEIGHTS
from bukva.core.imaging.decoding import decode_image, to_grey
from bukva.tasks.glyph.answer import sigmoid, softmax, to_answers
from bukva.tasks.glyph.preprocessing import Preprocessing, preprocess
from bukva.tasks.glyph.trained import ModelSpec, TrainedModel, predict_logits

torch.set_num_threads(1)
_DESCRIBED = json.loads((RELEASED / "model.json").read_text(encoding="utf-8"))
SPEC = ModelSpec(
    **{name: _DESCRIBED[name] for name in ModelSpec.model_fields if name in _DESCRIBED}
)
NETWORK = TrainedModel(load_file(RELEASED / WEIGHTS), SPEC).to_network()
CONSTANTS = Preprocessing(**SPEC.preprocessing)
app = FastAPI()


@app.post("/predict")
async def predict(file: Annotated[bytes, File()]) -> dict[str, Any]:
    """Reads one symbol."""
    glyph = preprocess(to_grey(decode_image(file)), constants=CONSTANTS)
    logits = predict_logits(NETWORK, glyph.image_HW[np.newaxis], glyph.page_F[np.newaxis])
    answers = to_answers(
        softmax(logits.label_NK),
        sigmoid(logits.case_N),
        SPEC.labels,
        top_k=5,
        symbol_threshold=SPEC.symbol_threshold,
    )
    return {name: values[0] for name, values in answers.items()}


@app.get("/livez")
async def livez() -> dict[str, str]:
    """The process answers."""
    return {"status": "alive"}


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), log_level="warning")
