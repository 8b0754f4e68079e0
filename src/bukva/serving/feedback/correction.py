"""Corrections as the service makes and finds them; what is stored of one: `bukva.correction`."""

import base64
import hashlib
from datetime import UTC, datetime
from pathlib import Path

from bukva.correction import MAX_FILE_BYTES, Correction, Respondent, digest_of, parse_correction
from bukva.errors import CorrectionError
from bukva.serving.pixels import decode, encode
from bukva.serving.schemas import FeedbackRequest, ServedModel


def make_correction(
    key: str,
    request: FeedbackRequest,
    image: bytes,
    model: ServedModel | None,
    client: str | None = None,
) -> Correction:
    """Makes a correction of a request; its image is made anew from the pixels.

    Raises:
        RequestError: As `decode` does.
    """
    picture = base64.b64encode(encode(decode(image))).decode("ascii")
    return Correction(
        id=hashlib.sha256(key.encode()).hexdigest()[:32],
        sha256=digest_of(request.symbol, picture),
        created=datetime.now(UTC).replace(microsecond=0),
        answer=request.answer,
        model=Respondent(**model.model_dump()) if model else None,
        client=client,
        symbol=request.symbol,
        image=picture,
    )


def read_correction(path: Path) -> Correction | None:
    """Reads a correction or a receipt; None if the file is anything else.

    Raises:
        OSError: If it cannot be read.
    """
    return None if path.stat().st_size > MAX_FILE_BYTES else try_parsing(path.read_bytes())


def try_parsing(data: bytes) -> Correction | None:
    """Makes sense of the bytes of a correction or a receipt; None if they are anything else."""
    try:
        return parse_correction(data)
    except CorrectionError:
        return None
