import json
import uuid
from pathlib import Path
from threading import Timer

import pytest
from bucket_server import BUCKET, run_bucket
from feedback_requests import KEY, correction, give, give_several, give_until_killed, stored
from serving_requests import draw, encode
from serving_servers import run_process, wait_for
from test_service_metrics import read_metrics

from bukva.serving.feedback import FeedbackStore
from bukva.serving.schemas import FeedbackRequest

FILE = {"file": ("a.png", encode(draw()))}


@pytest.fixture(scope="session")
def bucket_server():
    with run_bucket() as server:
        yield server


@pytest.fixture
def prefix():
    return uuid.uuid4().hex


@pytest.fixture
def bucket(bucket_server, monkeypatch):
    """The bucket that `s3://` leads to in this test."""
    lead_to(bucket_server, monkeypatch)
    return bucket_server


def lead_to(bucket_server, monkeypatch):
    for name, value in bucket_server.environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "spool"


@pytest.fixture
def start(serve, folder, tmp_path):
    """Starts the service, without a model, on the folder; several times is a restart."""

    def start(url, **settings):
        options = {"feedback_retry_s": 0.02, "tracking_uri": f"sqlite:///{tmp_path / 'none.db'}"}
        return serve(feedback_folder=folder, feedback_url=str(url), **options | settings)

    return start


def is_empty(folder: Path) -> bool:
    return not any(folder.glob("*.json"))


def test_what_is_given_goes_to_a_folder_by_its_date(start, folder, tmp_path):
    target = tmp_path / "far" / "away"
    with start(target) as server:
        names = give_several(server, 5)
        wait_for(lambda: is_empty(folder))
        metrics = read_metrics(server)
    delivered = sorted(target.rglob("*.json"))
    assert [path.stem for path in delivered] == names
    for path in delivered:
        record = json.loads(path.read_text())
        assert path.relative_to(target).parts[:3] == tuple(record["created"][:10].split("-"))
    assert metrics["bukva_feedback_delivered_total",] == 5
    assert metrics["bukva_feedback", "waiting"] == metrics["bukva_feedback", "dead"] == 0
    hidden = [path for path in tmp_path.rglob(".*") if path.is_file()]
    assert hidden == [], "no draft is left"


def test_what_is_given_goes_to_a_bucket(start, folder, bucket, prefix):
    with start(f"s3://{BUCKET}/{prefix}/") as server:
        names = give_several(server, 3)
        wait_for(lambda: is_empty(folder))
    delivered = bucket.objects(prefix)
    assert sorted(record["id"] for record in delivered) == names
    assert {record["symbol"] for record in delivered} == {"Г"}


def test_a_receipt_holds_no_image(start, folder, tmp_path):
    with start(tmp_path / "far") as server:
        give_several(server, 1)
        wait_for(lambda: is_empty(folder))
    [receipt] = stored(folder / "sent")
    assert receipt["image"] is None


def test_what_waited_before_there_was_a_place_is_delivered(start, folder, tmp_path):
    with start("") as server:
        names = give_several(server, 2)
    assert [record["id"] for record in stored(folder)] == names
    with start(tmp_path / "far"):
        wait_for(lambda: is_empty(folder))
    assert sorted(path.stem for path in (tmp_path / "far").rglob("*.json")) == names


def test_a_key_holds_after_delivery(start, folder, bucket, prefix):
    url = f"s3://{BUCKET}/{prefix}"
    with start(url) as server:
        first = give(server).json()
        wait_for(lambda: is_empty(folder))
    with start(url) as server:
        assert give(server).json() == first
        answer = give(server, correction("І"))
        assert (answer.status_code, answer.json()["code"]) == (409, "key_reused")
    assert is_empty(folder)
    assert [record["symbol"] for record in bucket.objects(prefix)] == ["Г"]


def test_one_that_was_delivered_before_a_crash_is_there_once(start, folder, bucket, prefix):
    url = f"s3://{BUCKET}/{prefix}"
    with start("") as server:
        [name] = give_several(server, 1)
    waiting = folder / f"{name}.json"
    content = waiting.read_bytes()
    with start(url):
        wait_for(lambda: is_empty(folder))
    before = bucket.objects(prefix)
    # As if the process had been killed between the upload and the receipt.
    (folder / "sent" / waiting.name).unlink()
    waiting.write_bytes(content)
    with start(url):
        wait_for(lambda: is_empty(folder))
    assert bucket.objects(prefix) == before
    assert [record["id"] for record in before] == [name]
    assert [record["id"] for record in stored(folder / "sent")] == [name]


def test_what_was_delivered_is_deleted_there(start, folder, bucket, prefix):
    with start(f"s3://{BUCKET}/{prefix}") as server:
        kept, name = (give(server, key=KEY + end).json()["id"] for end in "12")
        wait_for(lambda: is_empty(folder))
        assert server.http.delete(f"/v1/feedback/{name}").status_code == 204
        assert server.http.delete(f"/v1/feedback/{name}").json()["code"] == "unknown_feedback"
        wait_for(lambda: is_empty(folder / "deleted"))
    assert [record["id"] for record in bucket.objects(prefix)] == [kept]


def test_a_deletion_outlives_a_restart_and_what_is_given_anew_stays(start, folder, monkeypatch):
    with run_bucket(is_up=False) as bucket:
        lead_to(bucket, monkeypatch)
        with start(f"s3://{BUCKET}/x") as server:
            gone, again = (give(server, key=KEY + end).json()["id"] for end in "12")
            for name in (gone, again):
                assert server.http.delete(f"/v1/feedback/{name}").status_code == 204
            assert give(server, correction("І"), key=KEY + "2").json()["id"] == again
            assert not is_empty(folder), "nothing is delivered yet"
        bucket.start()
        with start(f"s3://{BUCKET}/x"):
            wait_for(lambda: is_empty(folder) and is_empty(folder / "deleted"))
        assert [(record["id"], record["symbol"]) for record in bucket.objects()] == [(again, "І")]


def test_deleted_while_it_was_under_way_it_does_not_stay(folder, tmp_path):
    """Step by step, as the uploader and a request come between each other."""
    store = FeedbackStore(folder, 10, is_delivered=True)
    name = keep(store)
    under_way = store.read(f"{name}.json")
    store.delete(name)
    assert keep(store) == name, "given again with the same key"
    assert not store.mark_delivered(under_way)
    assert store.read(f"{name}.json") is None, "not before the former one is deleted"
    [deletion] = store.deletions()
    assert deletion.place == under_way.place
    store.forget(deletion)
    assert store.mark_delivered(store.read(f"{name}.json"))


def test_what_was_under_way_is_deleted_also_when_another_was_given_and_deleted_since(folder):
    store = FeedbackStore(folder, 10, is_delivered=True)
    under_way = store.read(f"{keep(store)}.json")
    store.delete(under_way.id)
    store.delete(keep(store, "І"))
    assert [deletion.sha256 for deletion in store.deletions()] == [under_way.sha256]


def keep(store, symbol="Г"):
    request = FeedbackRequest(**correction(symbol))
    return store.keep(KEY, request, encode(draw()), None)


def test_one_process_at_a_time_delivers(folder):
    first, second = (FeedbackStore(folder, 10, is_delivered=True) for _ in range(2))
    with first.sole_delivery() as is_ours, second.sole_delivery() as is_theirs:
        assert (is_ours, is_theirs) == (True, False)
    with second.sole_delivery() as is_theirs:
        assert is_theirs


def test_another_ones_place_is_left_to_it(start, folder, bucket, prefix):
    with start("") as server:
        name = give(server).json()["id"]
    date = stored(folder)[0]["created"][:10].replace("-", "/")
    other = {"whose": "another's"}
    bucket.put(f"{prefix}/{date}/{name}.json", other)
    with start(f"s3://{BUCKET}/{prefix}") as server:
        wait_for(lambda: not is_empty(folder / "dead"))
        assert read_metrics(server)["bukva_feedback", "dead"] == 1
        assert give(server).json()["id"] == name, "it is stored, if not delivered"
        assert give(server, correction("І")).status_code == 409
        assert server.http.delete(f"/v1/feedback/{name}").status_code == 204
        wait_for(lambda: is_empty(folder / "deleted"))
    assert bucket.objects(prefix) == [other]
    assert is_empty(folder / "dead")


def test_files_that_are_no_corrections_hold_nobody_up(start, folder, tmp_path):
    with start("") as server:
        names = give_several(server, 2)
    half = (folder / f"{names[0]}.json").read_bytes()[:200]
    foreign = {"0" * 32 + ".json": half, "notes.txt": b"remember", f"{names[1][::-1]}.json": b""}
    for name, content in foreign.items():
        (folder / name).write_bytes(content)
    with start(tmp_path / "far"):
        wait_for(lambda: not any(path.is_file() for path in folder.iterdir()))
    assert sorted(path.stem for path in (tmp_path / "far").rglob("*.json")) == names
    assert {path.name: path.read_bytes() for path in (folder / "dead").iterdir()} == foreign


def test_a_torn_file_does_not_keep_its_key(start, folder):
    with start("") as server:
        name = give(server).json()["id"]
        torn = (folder / f"{name}.json").read_bytes()[:99]
        (folder / f"{name}.json").write_bytes(torn)
        assert give(server).status_code == 201
    assert [record["id"] for record in stored(folder)] == [name]
    assert [path.read_bytes() for path in (folder / "dead").iterdir()] == [torn]


def test_without_a_bucket_corrections_are_set_aside_and_kept(start, folder, bucket):
    with start("s3://no-such-bucket", feedback_retry_s=0.001, max_feedback=2) as server:
        names = give_several(server, 2)
        wait_for(lambda: len(stored(folder / "dead")) == 2, timeout_s=90)
        metrics = read_metrics(server)
        assert give(server).status_code == 507, "what cannot go on takes room"
    assert (metrics["bukva_feedback", "waiting"], metrics["bukva_feedback", "dead"]) == (0, 2)
    assert [record["id"] for record in stored(folder / "dead")] == names
    assert all(record["image"] for record in stored(folder / "dead"))


def test_who_is_denied_sets_aside_and_what_is_put_back_goes(start, folder, bucket, monkeypatch):
    with run_bucket(INITIAL_NO_AUTH_ACTION_COUNT="1") as strict:
        lead_to(strict, monkeypatch)
        with start(f"s3://{BUCKET}/x", feedback_retry_s=0.001) as server:
            [name] = give_several(server, 1)
            wait_for(lambda: not is_empty(folder / "dead"), timeout_s=90)
    (folder / "dead" / f"{name}.json").rename(folder / f"{name}.json")
    lead_to(bucket, monkeypatch)
    with start(f"s3://{BUCKET}/denied"):
        wait_for(lambda: is_empty(folder))
    assert [record["id"] for record in bucket.objects("denied")] == [name]


def test_a_bucket_that_does_not_answer_holds_up_nothing(
    serve, registry, server, folder, monkeypatch
):
    with run_bucket() as bucket:
        lead_to(bucket, monkeypatch)
        settings = {"feedback_folder": folder, "feedback_url": f"s3://{BUCKET}/x"}
        model = {"tracking_uri": registry, "model_name": "bukva-ink"}
        with serve(**settings, **model, feedback_retry_s=0.05) as service:
            service.wait_until_ready()
            before = give_several(service, 2)
            wait_for(lambda: is_empty(folder))
            bucket.hold_up()
            meanwhile = []
            for _ in range(10):
                meanwhile += give_several(service, 1)
                assert service.http.post("/v1/predict", files=FILE).status_code == 200
            assert [record["id"] for record in stored(folder)] == sorted(meanwhile)
            bucket.let_go()
            wait_for(lambda: is_empty(folder), timeout_s=60)
        delivered = [record["id"] for record in bucket.objects()]
    assert sorted(delivered) == sorted(before + meanwhile)


def test_what_was_acknowledged_is_delivered_once_whenever_it_is_killed(folder, bucket, prefix):
    environment = {
        "BUKVA_FEEDBACK_FOLDER": str(folder),
        "BUKVA_FEEDBACK_URL": f"s3://{BUCKET}/{prefix}",
        "BUKVA_FEEDBACK_RETRY_S": "0.02",
        "BUKVA_TRACKING_URI": f"sqlite:///{folder.parent / 'none.db'}",
    }
    acknowledged = []
    for kill in range(3):
        with run_process(**environment) as server:
            wait_for(lambda server=server: server.answers("/livez"))
            acknowledged += give_until_killed(server, Timer(1 + 0.13 * kill, server.process.kill))
    with run_process(**environment) as server:
        wait_for(lambda: is_empty(folder), timeout_s=60)
    delivered = [record["id"] for record in bucket.objects(prefix)]
    assert len(acknowledged) > 3
    assert set(acknowledged) <= set(delivered)
    assert len(set(delivered)) == len(delivered)
    # At most the one that was being answered at each kill is stored without its receipt.
    assert len(delivered) <= len(acknowledged) + 3
