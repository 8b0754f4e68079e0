"""Run in a process of its own: decodes files within a limit of memory.

Arguments: files. Prints a JSON list: for each `read`, the code of its problem, or the name of an
unexpected error; and last, what Pillow alone makes of a large picture under that limit.
"""

import json
import resource
import sys
import warnings
from pathlib import Path

import psutil
from PIL import Image

from bukva.core.imaging.decoding import decode_image
from bukva.errors import ImageError

EXTRA_BYTES = 32 * 2**20


def decode(encoded: bytes) -> str:
    try:
        decode_image(encoded)
    except ImageError as error:
        return error.code
    except Exception as error:
        return type(error).__name__
    return "read"


def make_16_megapixels() -> str:
    try:
        Image.new("RGBA", (4000, 4000))
    except MemoryError as error:
        return type(error).__name__
    return "read"


warnings.simplefilter("ignore")
# At its first broken picture Pillow loads its plugins, which is not to count.
decode(b"\x89PNG\r\n\x1a\n")
limit = psutil.Process().memory_info().vms + EXTRA_BYTES
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
sys.stdout.write(
    json.dumps([*(decode(Path(path).read_bytes()) for path in sys.argv[1:]), make_16_megapixels()])
)
