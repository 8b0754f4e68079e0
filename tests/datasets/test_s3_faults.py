"""What a store or the way to it may do: tried again until it is fine, or a clear error in time."""

import io
import traceback
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from clean_forks import clean_forks
from fault_proxy import Fault, FaultProxy, run_proxy
from kedro.io import DatasetError
from object_store import s3_is
from s3_saver import PART_BYTES, array, save_array
from serving_servers import free_port

from bukva.datasets import s3 as s3_module
from bukva.datasets.feedback import CorrectionsDataset
from bukva.datasets.files import ArrayDataset
from bukva.datasets.storage import Files, check_storage
from bukva.errors import (
    BucketMissingError,
    StorageError,
    StorageRefusedError,
    StorageUnreachableError,
)


@pytest.fixture(scope="module")
def proxy(s3_server: dict[str, str]) -> Iterator[FaultProxy]:
    with run_proxy(s3_server["AWS_ENDPOINT_URL"]) as running:
        yield running


@pytest.fixture
def faulty(
    proxy: FaultProxy, s3_server: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[FaultProxy]:
    """`s3://` leads through the proxy, with the patience of a test."""
    monkeypatch.setattr(s3_module, "CONNECT_TIMEOUT_S", 1.0)
    monkeypatch.setattr(s3_module, "ANSWER_TIMEOUT_S", 1.0)
    monkeypatch.setattr(s3_module, "PART_BYTES", PART_BYTES)
    proxy.faults.clear()
    proxy.requests.clear()
    with s3_is(s3_server | {"AWS_ENDPOINT_URL": proxy.url}):
        yield proxy


@pytest.fixture
def address(request: pytest.FixtureRequest) -> str:
    return f"s3://bukva/{zlib.crc32(request.node.name.encode()):x}.npy"


def load(address: str) -> Any:
    return ArrayDataset(filepath=address).load()


def save(address: str, value: int, layers: int) -> None:
    ArrayDataset(filepath=address).save(array(value, layers))


def cause_of(caught: pytest.ExceptionInfo[DatasetError]) -> StorageError:
    cause = caught.value.__cause__
    assert isinstance(cause, StorageError)
    return cause


def name_of(value: Any) -> str:
    return value.__name__ if isinstance(value, type) else str(value)


ONE, PARTS = 1, 3
"""Layers of an array that goes up in one request, and of one that goes up in three parts."""


@pytest.mark.parametrize(
    ("layers", "fault"),
    [
        (ONE, Fault("PUT", times=2, answer=(503, "SlowDown"))),
        (ONE, Fault("PUT", times=2, answer=(500, "InternalError"))),
        (ONE, Fault("PUT", up_bytes=1_000_000)),
        (ONE, Fault("PUT", down_bytes=0)),
        (ONE, Fault("PUT", up_bytes=0, is_silent=True)),
        (ONE, Fault("PUT", delay_s=0.3)),
        (PARTS, Fault("POST .*uploads", answer=(503, "SlowDown"))),
        (PARTS, Fault("partNumber=2", times=2, up_bytes=1_000_000)),
        (PARTS, Fault("partNumber=3", down_bytes=0)),
        (PARTS, Fault("POST .*uploadId", up_bytes=10)),
        (PARTS, Fault("POST .*uploadId", answer=(500, "InternalError"))),
    ],
    ids=name_of,
)
def test_what_passes_is_tried_again(
    faulty: FaultProxy, address: str, layers: int, fault: Fault
) -> None:
    faulty.faults.append(fault)
    save(address, 7, layers)
    assert not fault.times
    assert np.array_equal(load(address), array(7, layers))


@pytest.mark.parametrize(
    "fault",
    [
        Fault("GET", times=2, answer=(503, "SlowDown")),
        Fault("GET", times=2, down_bytes=1_000_000),
        Fault("GET", down_bytes=1_000_000, is_silent=True),
    ],
    ids=name_of,
)
def test_what_is_fetched_is_fetched_whole(faulty: FaultProxy, address: str, fault: Fault) -> None:
    save(address, 7, ONE)
    faulty.faults.append(fault)
    assert np.array_equal(load(address), array(7, ONE))
    assert not fault.times


def test_what_is_read_is_read_whole(faulty: FaultProxy, address: str) -> None:
    save(address, 7, ONE)
    fault = Fault("GET", times=2, down_bytes=1_000_000)
    faulty.faults.append(fault)
    content = io.BytesIO(Files(address).read())
    assert np.array_equal(np.load(content), array(7, ONE))
    assert not fault.times


@pytest.mark.parametrize(
    "fault",
    [Fault("HEAD", down_bytes=0), Fault("HEAD", times=2, answer=(500, "InternalError"))],
    ids=name_of,
)
def test_what_is_there_is_found(faulty: FaultProxy, address: str, fault: Fault) -> None:
    save(address, 7, ONE)
    faulty.faults.append(fault)
    assert Files(address).exists()
    assert not fault.times


@pytest.mark.parametrize(
    ("layers", "fault", "kind", "words"),
    [
        (ONE, Fault("", answer=(503, "SlowDown")), StorageUnreachableError, "SlowDown"),
        (ONE, Fault("PUT", answer=(500, "InternalError")), StorageUnreachableError, "500"),
        (ONE, Fault("PUT", up_bytes=0, is_silent=True), StorageUnreachableError, "none \\("),
        (ONE, Fault("PUT", up_bytes=9**6), StorageUnreachableError, "AWS_ENDPOINT_URL"),
        (ONE, Fault("PUT", answer=(403, "AccessDenied")), StorageRefusedError, "AccessDenied"),
        (ONE, Fault("PUT", answer=(404, "NoSuchBucket")), BucketMissingError, "BUKVA_STORAGE"),
        (ONE, Fault("PUT", answer=(400, "EntityTooLarge")), StorageError, "400 EntityTooLarge"),
        (PARTS, Fault("partNumber=2", up_bytes=9**6), StorageUnreachableError, "none \\("),
        (PARTS, Fault("partNumber=2", answer=(403, "AccessDenied")), StorageRefusedError, "403"),
        (PARTS, Fault("POST .*uploadId", answer=(403, "AccessDenied")), StorageRefusedError, "403"),
    ],
    ids=name_of,
)
def test_what_does_not_pass_is_a_clear_error_and_the_former_object_stays(
    faulty: FaultProxy,
    address: str,
    layers: int,
    fault: Fault,
    kind: type,
    words: str,
) -> None:
    save(address, 1, ONE)
    fault.times = 1000
    faulty.faults.append(fault)
    with pytest.raises(DatasetError, match=words) as caught:
        save(address, 2, layers)
    assert type(cause_of(caught)) is kind
    faulty.faults.clear()
    assert np.array_equal(load(address), array(1, ONE))
    # What a person sees is about the store, not about the library.
    shown = "".join(traceback.format_exception(caught.value))
    assert "botocore" not in shown
    assert address.removeprefix("s3://") in str(cause_of(caught))


def test_a_refusal_is_not_asked_again(faulty: FaultProxy, address: str) -> None:
    fault = Fault("PUT", times=1000, answer=(403, "AccessDenied"))
    faulty.faults.append(fault)
    with pytest.raises(DatasetError):
        save(address, 1, ONE)
    assert fault.times == 999


def test_parts_are_given_up_when_the_store_can_be_told(faulty: FaultProxy, address: str) -> None:
    faulty.faults.append(Fault("partNumber=2", times=1000, answer=(403, "AccessDenied")))
    with pytest.raises(DatasetError):
        save(address, 1, PARTS)
    assert any(request.startswith("DELETE") for request in faulty.requests)


def test_a_store_that_falls_silent_in_mid_read_is_a_clear_error(
    faulty: FaultProxy, address: str
) -> None:
    save(address, 1, ONE)
    faulty.faults.append(Fault("GET", times=1000, down_bytes=1_000_000, is_silent=True))
    with pytest.raises(StorageUnreachableError):
        Files(address).read()


def test_corrections_that_cannot_be_read_are_not_passed_over(faulty: FaultProxy) -> None:
    Files("s3://bukva/corrections").write(b"no correction", "a.json")
    faulty.faults.append(Fault(r"GET .*a\.json", times=1000, answer=(403, "AccessDenied")))
    corrections = CorrectionsDataset(folder="s3://bukva/corrections")
    with pytest.raises(DatasetError) as caught:
        corrections.load()
    assert isinstance(cause_of(caught), StorageRefusedError)
    faulty.faults.clear()
    assert len(corrections.load().unusable) == 1


def test_an_object_that_is_not_there_is_no_trouble_of_the_store(faulty: FaultProxy) -> None:
    files = Files("s3://bukva/none")
    assert not files.exists()
    with pytest.raises(FileNotFoundError):
        files.read()
    files.remove()


@pytest.mark.parametrize(
    ("changed", "kind", "words"),
    [
        ({"AWS_SECRET_ACCESS_KEY": "wrong"}, StorageRefusedError, "AWS_SECRET_ACCESS_KEY"),
        ({"AWS_ACCESS_KEY_ID": "unknown"}, StorageRefusedError, "AWS_ACCESS_KEY_ID"),
        ({"AWS_PROFILE": "unknown"}, StorageRefusedError, "got none.*AWS_PROFILE"),
        ({"AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}"}, StorageUnreachableError, "is up"),
    ],
)
def test_a_run_does_not_begin_where_the_store_cannot_be_used(
    faulty: FaultProxy,
    monkeypatch: pytest.MonkeyPatch,
    changed: dict[str, str],
    kind: type,
    words: str,
) -> None:
    check_storage("s3://bukva/tasks/glyph")
    for name, value in changed.items():
        monkeypatch.setenv(name, value)
    s3_module.S3FileSystem.clear_instance_cache()
    with pytest.raises(kind, match=words):
        check_storage("s3://bukva/tasks/glyph")


def test_a_run_does_not_begin_without_its_bucket(faulty: FaultProxy) -> None:
    with pytest.raises(BucketMissingError, match="bukwa"):
        check_storage("s3://bukwa/data")
    check_storage("data")


@pytest.mark.parametrize(
    ("layers", "request_"), [(ONE, "PUT"), (PARTS, "partNumber=2"), (PARTS, "POST .*uploadId")]
)
def test_a_kill_in_mid_save_leaves_the_former_object(
    faulty: FaultProxy, s3_server: dict[str, str], address: str, layers: int, request_: str
) -> None:
    save(address, 1, ONE)
    environment = s3_server | {"AWS_ENDPOINT_URL": faulty.url}
    saving = clean_forks().Process(target=save_array, args=(environment, address, 2, layers))
    fault = Fault(request_, up_bytes=100, is_silent=True, then=saving.kill)
    faulty.faults.append(fault)
    saving.start()
    saving.join(timeout=60)
    assert saving.exitcode == -9
    assert np.array_equal(load(address), array(1, ONE))
    save(address, 2, layers)
    assert np.array_equal(load(address), array(2, layers))
