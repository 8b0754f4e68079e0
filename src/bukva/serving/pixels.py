"""Between image files and grey pixels, where the service itself looks into an image."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bukva.data.decoding import decode_image
from bukva.errors import ImageError, RequestError

Grey = NDArray[np.uint8]


def decode(image: bytes) -> Grey:
    """Return the grey pixels `(H, W)` of an image file, as the recogniser sees them.

    Raises:
        RequestError: If it cannot be decoded; the codes are those of recognition.
    """
    try:
        return decode_image(image)
    except ImageError as error:
        raise RequestError(error.code, str(error)) from error


def encode(grey_HW: Grey, compress_level: int = 6) -> bytes:
    """Return grey pixels as a PNG file, which holds nothing else."""
    buffer = io.BytesIO()
    Image.fromarray(grey_HW).save(buffer, "PNG", compress_level=compress_level)
    return buffer.getvalue()
