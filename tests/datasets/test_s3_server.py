"""What we, MLflow and the service use of S3, asked of the server itself.

The server is rclone's, or the one that `tools/radosgw.py` starts.
"""

from typing import Any

import httpx
import pytest
from object_store import GIVEN_URL
from stored_corrections import correct_pages

from bukva.core.samples import RawSample
from bukva.serving.feedback_files import S3Target
from bukva.tasks.glyph.correction import Correction

PART_BYTES = 5 * 2**20

only_given = pytest.mark.skipif(
    not GIVEN_URL,
    reason="rclone's server has no create-only writes, presigned addresses and lists of parts: "
    "tools/radosgw.py asks Ceph's",
)


@pytest.fixture(scope="module")
def correction(drawn_pages: list[RawSample]) -> Correction:
    return correct_pages(drawn_pages[:1])[0]


def test_an_object_in_parts_appears_when_it_is_complete(s3: Any) -> None:
    keys = {"Bucket": "bukva", "Key": "parts"}
    upload = keys | {"UploadId": s3.call_s3("create_multipart_upload", **keys)["UploadId"]}
    parts = []
    for number, body in ((1, b"a" * PART_BYTES), (2, b"b")):
        sent = s3.call_s3("upload_part", PartNumber=number, Body=body, **upload)
        parts.append({"PartNumber": number, "ETag": sent["ETag"]})
    assert not s3.exists("bukva/parts")
    s3.call_s3("complete_multipart_upload", MultipartUpload={"Parts": parts}, **upload)
    assert s3.cat_file("bukva/parts") == b"a" * PART_BYTES + b"b"


@only_given
def test_parts_that_were_left_are_listed_and_can_be_given_up(s3: Any) -> None:
    upload = s3.call_s3("create_multipart_upload", Bucket="bukva", Key="left")
    assert [item["Key"] for item in s3.list_multipart_uploads("bukva")] == ["left"]
    s3.abort_mpu("bukva", "left", upload["UploadId"])
    assert s3.list_multipart_uploads("bukva") == []


@only_given
def test_what_is_made_once_is_not_made_again(s3: Any) -> None:
    s3.pipe_file("bukva/once", b"first", mode="create")
    with pytest.raises((FileExistsError, OSError)) as caught:
        s3.pipe_file("bukva/once", b"second", mode="create")
    assert caught.value.__cause__.response["Error"]["Code"] == "PreconditionFailed"
    assert s3.cat_file("bukva/once") == b"first"


@only_given
def test_a_correction_is_delivered_once(s3: Any, correction: Correction) -> None:
    """As the service does it."""
    target = S3Target("s3://bukva/feedback")
    assert target.create(correction)
    assert not target.create(correction)
    assert target.read(correction.place) == correction
    target.remove(correction.place)
    assert target.read(correction.place) is None


@only_given
def test_a_presigned_address_is_open_to_who_has_it(s3: Any) -> None:
    s3.pipe_file("bukva/presigned", b"a model")
    address = s3.sign("s3://bukva/presigned", expiration=60)
    assert httpx.get(address).content == b"a model"
    assert httpx.get(address.partition("?")[0]).status_code == 403


def test_many_objects_are_removed_at_once(s3: Any) -> None:
    for number in range(3):
        s3.pipe_file(f"bukva/many/{number}", b"x")
    s3.rm("bukva/many", recursive=True)
    assert s3.find("bukva/many") == []


def test_a_stranger_is_refused_and_nothing_is_404(s3: Any, s3_server: dict[str, str]) -> None:
    s3.pipe_file("bukva/secret", b"x")
    # rclone says 400 to who signs nothing.
    assert httpx.get(f"{s3_server['AWS_ENDPOINT_URL']}/bukva/secret").status_code in (400, 403)
    with pytest.raises(FileNotFoundError):
        s3.cat_file("bukva/nothing")
    with pytest.raises(FileNotFoundError):
        s3.cat_file("bukwa/nothing")
