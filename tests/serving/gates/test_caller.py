"""What is kept of who gives a correction: a key's name, a keyed hash of an address, or nothing."""

import pytest
from feedback_requests import give, stored
from serving_servers import run_process, wait_for
from starlette.requests import Request

from bukva.errors import ParameterError
from bukva.serving.access import hash_key, make_key, pseudonym_of
from bukva.serving.settings import Settings, read_settings

SECRET = Settings(feedback_client_key="a secret of some length").feedback_client_key
OTHER = Settings(feedback_client_key="another one of some length").feedback_client_key


def asked_from(host, key_name=None):
    scope = {"type": "http", "client": (host, 4321), "state": {}}
    if key_name:
        scope["state"]["key_name"] = key_name
    return Request(scope)


def test_an_address_has_one_pseudonym_that_does_not_tell_it():
    name = pseudonym_of(asked_from("192.0.2.7"), SECRET)
    assert name == pseudonym_of(asked_from("::ffff:192.0.2.7"), SECRET)
    assert name != pseudonym_of(asked_from("192.0.2.8"), SECRET)
    assert name != pseudonym_of(asked_from("192.0.2.7"), OTHER), "it takes the secret to compare"
    assert name.startswith("address ")
    assert "192" not in name
    assert len(name) == len("address ") + 16


def test_who_has_half_of_an_ipv6_network_is_one():
    names = {pseudonym_of(asked_from(f"2001:db8:1:2::{end}"), SECRET) for end in range(1, 9)}
    assert len(names) == 1


def test_without_a_secret_no_address_is_kept():
    assert pseudonym_of(asked_from("192.0.2.7"), None) is None
    assert pseudonym_of(asked_from("192.0.2.7", "school"), None) == "key school"
    assert pseudonym_of(asked_from("192.0.2.7", "school"), SECRET) == "key school"


def test_a_secret_is_neither_short_nor_shown(monkeypatch):
    monkeypatch.setenv("BUKVA_FEEDBACK_CLIENT_KEY", "too short")
    with pytest.raises(ParameterError, match="BUKVA_FEEDBACK_CLIENT_KEY") as caught:
        read_settings()
    assert "too short" not in str(caught.value)
    assert "secret of some" not in repr(SECRET)


@pytest.mark.parametrize(
    ("settings", "client"),
    [
        ({}, None),
        ({"feedback_client_key": "a secret of some length"}, "address "),
    ],
)
def test_a_correction_is_stored_with_as_much(serve, tmp_path, settings, client):
    none = f"sqlite:///{tmp_path / 'none.db'}"
    with serve(feedback_folder=tmp_path / "spool", tracking_uri=none, **settings) as server:
        assert give(server).status_code == 201
    [record] = stored(tmp_path / "spool")
    assert record["client"] == client or record["client"].startswith(client)
    assert "127.0.0.1" not in str(record)


def test_a_key_is_named_and_its_receipt_names_nobody(tmp_path):
    key = make_key()
    environment = {
        "BUKVA_TRACKING_URI": f"sqlite:///{tmp_path / 'none.db'}",
        "BUKVA_FEEDBACK_FOLDER": str(tmp_path / "spool"),
        "BUKVA_FEEDBACK_URL": str(tmp_path / "far"),
        "BUKVA_FEEDBACK_RETRY_S": "0.02",
        "BUKVA_API_KEY_HASHES": f"school:{hash_key(key)}",
    }
    with run_process(**environment) as server:
        wait_for(lambda: server.answers("/livez"))
        assert give(server, **{"X-API-Key": key}).status_code == 201
        wait_for(lambda: list((tmp_path / "spool" / "sent").glob("*.json")))
    [delivered] = [
        record for path in (tmp_path / "far").rglob("*.json") for record in stored(path.parent)
    ]
    assert delivered["client"] == "key school"
    [receipt] = stored(tmp_path / "spool" / "sent")
    assert receipt["client"] is None
