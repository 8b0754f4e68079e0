"""Reads the lines of a folder by rapidocr's recogniser alone; for `benchmarks/line_peers.py`.

python rapidocr_lines.py FOLDER

Runs in an environment of its own, where `rapidocr` and `onnxruntime` are installed. Writes a JSON
list of `{"file", "text", "ms"}`; the milliseconds are those of the core, from bytes to text.
"""

import json
import sys
import time
from pathlib import Path

import cv2
import numpy as np
from rapidocr import RapidOCR

ONE_THREAD = {
    "EngineConfig.onnxruntime.intra_op_num_threads": 1,
    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
    "Global.log_level": "error",
    "Global.text_score": 0.0,  # that no text is held back
}


def main() -> None:
    """Read all lines, the first one twice, as the first call loads the model."""
    cv2.setNumThreads(1)
    engine = RapidOCR(params=ONE_THREAD)
    paths = sorted(Path(sys.argv[1]).iterdir())
    read(engine, paths[0].read_bytes())
    rows = []
    for path in paths:
        content = path.read_bytes()
        started_s = time.process_time()
        text = read(engine, content)
        seconds = time.process_time() - started_s
        rows.append({"file": path.name, "text": text, "ms": 1000 * seconds})
    print(json.dumps(rows))


def read(engine: RapidOCR, content: bytes) -> str:
    """Return the text of a line."""
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    found = engine(pixels, use_det=False, use_cls=False, use_rec=True)
    return " ".join(found.txts or ())


if __name__ == "__main__":
    main()
