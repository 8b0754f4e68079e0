"""Run in a process of its own: decodes a file, and prints as JSON what that took.

Arguments: a file. Prints the shape of its pixels, or the code of its problem; by how many MB the
process grew at its peak; and the processor's seconds.
"""

import io
import json
import resource
import sys
import time
from pathlib import Path

from PIL import Image

from bukva.core.imaging.decoding import decode_image
from bukva.errors import ImageError


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def warm_up() -> None:
    """Load what the first picture of each kind loads."""
    for image_format in ("PNG", "JPEG", "WEBP"):
        buffer = io.BytesIO()
        Image.new("RGB", (8, 8)).save(buffer, image_format)
        decode_image(buffer.getvalue())


encoded = Path(sys.argv[1]).read_bytes()
warm_up()
before_mb, started_s = peak_mb(), time.process_time()
try:
    found: object = decode_image(encoded).shape
except ImageError as error:
    found = error.code
seconds = time.process_time() - started_s
sys.stdout.write(json.dumps([found, peak_mb() - before_mb, seconds]))
