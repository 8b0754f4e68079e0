import base64
import io
import os
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from threading import Timer

import numpy as np
import pytest
from feedback_requests import KEY, correction, give, give_until_killed, stored
from PIL import Image
from serving_requests import base64_text, draw, encode, json_body
from serving_servers import run_process, wait_for


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "feedback"


@pytest.fixture
def feedback(serve, folder, tmp_path):
    """The service without a model: corrections need none."""
    with serve(feedback_folder=folder, tracking_uri=f"sqlite:///{tmp_path / 'none.db'}") as server:
        yield server


def test_a_correction_is_stored_with_what_was_answered(feedback, folder):
    answer = give(feedback, correction(answer="І"))
    assert answer.status_code == 201
    [record] = stored(folder)
    assert record["id"] == answer.json()["id"]
    assert (record["symbol"], record["answer"], record["model"]) == ("Г", "І", None)
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(record["image"]))))
    assert (pixels == np.asarray(draw())).all()


def test_the_model_that_answered_is_named(server, serve, registry, folder):
    with serve(feedback_folder=folder, tracking_uri=registry, model_name="bukva-ink") as with_model:
        with_model.wait_until_ready()
        assert give(with_model).status_code == 201
    assert stored(folder)[0]["model"] == {"name": "bukva-ink", "version": "1", "alias": "prod"}


@pytest.mark.parametrize("letter", "йЙїЇ")
def test_a_letter_of_two_code_points_is_taken_for_what_it_is(feedback, folder, letter):
    """So do macOS and some keyboards write them."""
    apart = unicodedata.normalize("NFD", letter)
    assert len(apart) == 2
    assert give(feedback, correction(apart, answer=apart)).status_code == 201
    [record] = stored(folder)
    assert (record["symbol"], record["answer"]) == (letter, letter)


def test_the_same_correction_at_once_is_stored_once(feedback, folder):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: give(feedback), range(24)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(stored(folder)) == 1


def test_a_key_is_for_one_correction(feedback, folder):
    assert give(feedback).status_code == 201
    answer = give(feedback, correction("І"))
    assert (answer.status_code, answer.json()["code"]) == (409, "key_reused")
    assert [record["symbol"] for record in stored(folder)] == ["Г"]


def test_a_correction_is_deleted_by_its_id(feedback, folder):
    address = f"/v1/feedback/{give(feedback).json()['id']}"
    assert feedback.http.delete(address).status_code == 204
    assert stored(folder) == []
    assert feedback.http.delete(address).json()["code"] == "unknown_feedback"


@pytest.mark.parametrize("name", ["0" * 32, "short", "..%2F..%2Fmlflow.db", "a.json"])
def test_an_id_that_is_none_deletes_nothing(feedback, folder, name):
    give(feedback)
    assert feedback.http.delete(f"/v1/feedback/{name}").status_code == 404
    assert len(stored(folder)) == 1


def test_nothing_is_read_back(feedback):
    name = give(feedback).json()["id"]
    assert feedback.http.get(f"/v1/feedback/{name}").status_code == 405
    assert feedback.http.get("/v1/feedback").status_code == 405


def test_only_the_pixels_are_stored(feedback, folder):
    tail = b"<script>somebody was here</script>"
    assert give(feedback, correction(image=encode(draw()) + tail)).status_code == 201
    assert tail not in base64.b64decode(stored(folder)[0]["image"])


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"symbol": "Ы"}, 400, "invalid_request"),
        ({"symbol": "../x"}, 400, "invalid_request"),
        ({"symbol": "Ґ\n"}, 400, "invalid_request"),
        ({"symbol": "ҐҐ"}, 400, "invalid_request"),
        ({"symbol": ""}, 400, "invalid_request"),
        ({"consent": False}, 400, "invalid_request"),
        ({"name": "Оксана"}, 400, "invalid_request"),
        ({"image": "***"}, 400, "invalid_base64"),
        ({"image": ""}, 400, "missing_image"),
        ({"image": base64_text(b"GIF89a")}, 415, "unsupported_format"),
        ({"image": base64_text(encode(draw())[:60])}, 422, "undecodable_image"),
        ({"image": base64_text(encode(Image.new("1", (12_001, 2))))}, 422, "image_too_large"),
    ],
)
def test_what_is_not_as_asked_is_not_stored(feedback, folder, change, status, code):
    answer = give(feedback, correction() | change)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not folder.exists() or stored(folder) == []


@pytest.mark.parametrize("key", ["", "short", "x" * 65, "with blanks in the key"])
def test_a_key_is_asked_for(feedback, key):
    assert give(feedback, key=key).json()["code"] == "invalid_key"


def test_another_sites_page_may_not_give_or_delete(feedback, folder):
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert give(feedback, **headers).json()["code"] == "cross_site"
    name = give(feedback).json()["id"]
    answer = feedback.http.delete(f"/v1/feedback/{name}", headers=headers)
    assert answer.status_code == 403
    assert len(stored(folder)) == 1


def test_a_file_part_is_refused(feedback):
    answer = feedback.http.post(
        "/v1/feedback", files={"file": ("a.png", encode(draw()))}, headers={"Idempotency-Key": KEY}
    )
    assert answer.status_code == 415
    plain = {"content-type": "text/plain", "Idempotency-Key": KEY}
    answer = feedback.http.post("/v1/feedback", content=json_body(b"x"), headers=plain)
    assert answer.status_code == 415


def test_no_more_is_stored_than_there_is_room_for(serve, folder, tmp_path):
    none = f"sqlite:///{tmp_path / 'none.db'}"
    with serve(feedback_folder=folder, max_feedback=1, tracking_uri=none) as server:
        assert give(server).status_code == 201
        answer = give(server, key=KEY + "2")
        assert (answer.status_code, answer.json()["code"]) == (507, "feedback_full")
        assert give(server).status_code == 201, "what is stored already is acknowledged again"


def test_a_folder_that_cannot_be_written_harms_nothing_else(serve, tmp_path):
    (tmp_path / "file").write_text("no folder")
    none = f"sqlite:///{tmp_path / 'none.db'}"
    with serve(feedback_folder=tmp_path / "file", tracking_uri=none) as server:
        answer = give(server)
        assert (answer.status_code, answer.json()["code"]) == (503, "feedback_unavailable")
        assert answer.headers["Retry-After"] == "30"
        assert server.http.get("/livez").status_code == 200


def test_drafts_of_a_killed_process_are_swept_up(folder, serve, tmp_path):
    folder.mkdir()
    old, young = folder / ".old", folder / ".young"
    old.touch()
    young.touch()
    os.utime(old, (0, 0))
    with serve(feedback_folder=folder, tracking_uri=f"sqlite:///{tmp_path / 'none.db'}"):
        assert [*folder.iterdir()] == [young]


def test_what_was_acknowledged_outlives_a_kill(folder, tmp_path):
    acknowledged = []
    for kill in range(3):
        environment = {
            "BUKVA_FEEDBACK_FOLDER": str(folder),
            "BUKVA_TRACKING_URI": f"sqlite:///{tmp_path / 'none.db'}",
        }
        with run_process(**environment) as server:
            wait_for(lambda server=server: server.answers("/livez"))
            acknowledged += give_until_killed(server, Timer(0.2 + 0.13 * kill, server.process.kill))
    assert len(acknowledged) > 3
    whole = stored(folder)
    assert set(acknowledged) <= {record["id"] for record in whole}
    # At most the one that was being answered at each kill is stored without its receipt.
    assert len(whole) <= len(acknowledged) + 3
