"""What a stored correction is: written and read, refused where it is something else."""

import json
from typing import Any

import numpy as np
import pytest
from stored_corrections import correct

from bukva.errors import CorrectionError
from bukva.tasks.glyph.correction import Correction

PAGE = np.pad(np.zeros((20, 30), dtype=np.uint8), 40, constant_values=255)


@pytest.fixture(scope="module")
def correction() -> Correction:
    return correct(PAGE, "Ґ")


def changed(correction: Correction, **fields: Any) -> bytes:
    return json.dumps(json.loads(correction.write()) | fields).encode()


def test_what_was_written_is_read(correction: Correction) -> None:
    read = Correction.parse(correction.write())
    assert read == correction
    assert read.read_image().startswith(b"\x89PNG")
    assert read.place == f"2026/11/01/{read.id}.json"


def test_one_from_before_clients_were_kept_is_read(correction: Correction) -> None:
    former = json.loads(correction.write())
    del former["client"]
    assert Correction.parse(json.dumps(former).encode()).client is None


def test_a_receipt_holds_neither_image_nor_client(correction: Correction) -> None:
    receipt = Correction.parse(correction.receipt.write())
    assert (receipt.image, receipt.client) == (None, None)
    assert receipt.id == correction.id
    with pytest.raises(CorrectionError, match="receipt"):
        receipt.read_image()


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"id": "../../etc/passwd"}, "id"),
        ({"created": "yesterday"}, "created"),
        ({"created": "2026-11-01T09:00:00"}, "created"),
        ({"symbol": "І"}, "sha256 of symbol and image"),
        ({"client": "x" * 65}, "client"),
        ({"model": "7"}, "model"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_of_it_quoted(
    correction: Correction, fields: dict[str, Any], where: str
) -> None:
    with pytest.raises(CorrectionError, match=where) as caught:
        Correction.parse(changed(correction, **fields))
    assert correction.image is not None
    assert correction.image[:40] not in str(caught.value)
    assert "passwd" not in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff\xfe", b'{"id": 1}'])
def test_what_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(CorrectionError, match="Expected a stored correction"):
        Correction.parse(data)


def test_an_image_that_is_no_base64_is_refused(correction: Correction) -> None:
    data = changed(correction, image="***", sha256=Correction.digest("Ґ", "***"))
    with pytest.raises(CorrectionError, match="base64"):
        Correction.parse(data).read_image()
