"""Where keys are asked for, only who has one is answered, and no key is ever written down."""

import json
import subprocess
import sys

import pytest
from serving_requests import JSON_TYPE, draw, encode, json_body
from serving_servers import run_process, wait_for

from bukva.serving.access import hash_key, make_key

OLD, NEW = make_key(), make_key()
BODY = json_body(encode(draw()))
PROTECTED = [
    ("POST", "/v1/predict"),
    ("POST", "/v1/predict/batch"),
    ("POST", "/v1/explain"),
    ("GET", "/v1/model"),
    ("GET", "/v1/model/figures/label_confusion"),
    ("POST", "/v1/feedback"),
    ("DELETE", "/v1/feedback/" + "0" * 32),
    ("POST", "/v1/documents"),
    ("POST", "/v1/documents/explain"),
    ("POST", "/v1/lines"),
    ("POST", "/v1/lines/feedback"),
    ("DELETE", "/v1/lines/feedback/" + 32 * "0"),
]


@pytest.fixture(scope="module")
def guarded(registry):
    """A service with two keys, of which one has a name."""
    with run_process(
        BUKVA_TRACKING_URI=registry,
        BUKVA_MODEL_NAME="bukva-ink",
        BUKVA_API_KEY_HASHES=f"school:{hash_key(OLD)}, {hash_key(NEW)}",
    ) as server:
        server.wait_until_ready()
        yield server


def predict(server, **headers):
    return server.http.post("/v1/predict", content=BODY, headers={**JSON_TYPE, **headers})


def test_every_route_below_v1_is_protected(guarded, openapi):
    below = [path for path in openapi["paths"] if path.startswith("/v1/")]
    assert len(below) == len(PROTECTED), "this test names them all"
    for method, path in PROTECTED:
        answer = guarded.http.request(method, path)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
        assert answer.headers["www-authenticate"] == "Bearer"


def test_so_is_what_asks_a_model_below_v2(guarded):
    answer = guarded.http.post("/v2/models/bukva-ink/infer", json={"inputs": []})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")


@pytest.mark.parametrize("key", [OLD, NEW], ids=["old", "new"])
def test_each_known_key_opens_in_either_header(guarded, key):
    assert predict(guarded, Authorization=f"Bearer {key}").status_code == 200
    assert predict(guarded, **{"X-API-Key": key}).status_code == 200


def test_a_proxys_own_password_does_not_hide_the_key(guarded):
    headers = {"Authorization": "Basic bmFtZTpwYXNz", "X-API-Key": NEW}
    assert predict(guarded, **headers).status_code == 200


@pytest.mark.parametrize(
    "key",
    ["", "x", OLD[:-1], OLD + "x", OLD.upper(), hash_key(OLD), "ключ".encode()],
    ids=["empty", "short", "cut", "longer", "capitals", "hash", "not ASCII"],
)
def test_what_is_no_known_key_opens_nothing(guarded, key):
    assert predict(guarded, **{"X-API-Key": key}).status_code == 401
    value = b"Bearer" + (b" " + (key if isinstance(key, bytes) else key.encode())).rstrip()
    assert predict(guarded, Authorization=value).status_code == 401


def test_the_refusal_comes_before_the_body_and_before_its_checks(guarded):
    answer = guarded.http.post("/v1/predict?expect=nonsense", content=b"{", headers=JSON_TYPE)
    assert answer.status_code == 401
    too_large = guarded.http.post("/v1/predict", content=b" " * 29_360_129, headers=JSON_TYPE)
    assert too_large.status_code == 413, "a size is announced before anything else"


@pytest.mark.parametrize(
    "path", ["/", "/page/main.js", "/livez", "/readyz", "/version", "/metrics", "/openapi.json"]
)
def test_page_and_probes_stay_open(guarded, path):
    assert guarded.http.get(path).status_code == 200


def test_the_description_names_both_ways(guarded, openapi):
    described = guarded.http.get("/openapi.json").json()
    schemes = described["components"]["securitySchemes"].values()
    assert {(scheme["type"], scheme.get("in")) for scheme in schemes} == {
        ("http", None),
        ("apiKey", "header"),
    }
    operation = described["paths"]["/v1/predict"]["post"]
    assert [len(either) for either in operation["security"]] == [1, 1]
    assert "`unauthorized`" in operation["responses"]["401"]["description"]
    assert "security" not in described["paths"]["/livez"]["get"]
    assert "securitySchemes" not in openapi["components"], "a service without keys asks for none"


def test_the_log_names_the_caller_and_holds_no_key(guarded):
    predict(guarded, **{"X-API-Key": OLD, "X-Request-ID": "named-key"})
    predict(guarded, **{"X-API-Key": NEW, "X-Request-ID": "other-key"})
    predict(guarded, **{"X-API-Key": "wrong-key-of-mine", "X-Request-ID": "wrong-key"})
    [named] = guarded.wait_for_log(id="named-key")
    [other] = guarded.wait_for_log(id="other-key")
    [wrong] = guarded.wait_for_log(id="wrong-key")
    assert [line["key"] for line in (named, other, wrong)] == ["school", hash_key(NEW)[:8], None]
    text = json.dumps(guarded.log) + guarded.http.get("/metrics").text
    assert not any(key in text for key in (OLD, NEW, hash_key(OLD), "wrong-key-of-mine"))


def make_by_command():
    finished = subprocess.run(
        [sys.executable, "-m", "bukva.serving", "--new-key"],
        capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    return dict(line.split()[:2] for line in finished.stdout.splitlines())


def test_the_command_makes_a_new_key_with_its_hash_each_time():
    first, second = make_by_command(), make_by_command()
    assert first["hash"] == hash_key(first["key"])
    assert first["key"] != second["key"]
    assert len(first["key"]) >= 40


def test_a_key_in_place_of_its_hash_is_refused_and_not_shown(capfd):
    with run_process(BUKVA_API_KEY_HASHES=OLD) as server:
        wait_for(lambda: server.process.poll() is not None)
        assert server.process.returncode == 2
    said = capfd.readouterr().err
    assert "BUKVA_API_KEY_HASHES" in said
    assert OLD not in said
