"""Each image that is answered is one line in a file; nothing that happens to it is noticed."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from serving_requests import JSON_TYPE, base64_text, draw, encode, json_body
from serving_servers import wait_for
from test_service_metrics import read_metrics

BODY = json_body(encode(draw()))


def predict(server, body=BODY, **headers):
    return server.http.post("/v1/predict", content=body, headers={**JSON_TYPE, **headers})


def lines_of(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def read_when_written(path, count):
    wait_for(lambda: path.exists() and len(path.read_text().splitlines()) >= count)
    return lines_of(path)


def test_a_line_holds_what_was_read_and_no_more(registry, serve, tmp_path):
    path = tmp_path / "logs" / "predictions.jsonl"
    with serve(tracking_uri=registry, model_name="bukva-ink", prediction_log=path) as server:
        server.wait_until_ready()
        answer = predict(server, **{"X-Request-ID": "prediction-1"}).json()
        [line] = read_when_written(path, 1)
    assert datetime.fromisoformat(line.pop("time")).tzinfo
    assert 0 < line.pop("latency_ms") < 10_000
    assert line == {
        "id": "prediction-1",
        "model_version": "1",
        "symbol": answer["symbol"],
        "confidence": answer["confidence"],
        "is_symbol": answer["is_symbol"],
    }


def test_each_image_of_a_batch_has_a_line_and_one_that_cannot_be_read_has_none(
    registry, serve, tmp_path
):
    path = tmp_path / "predictions.jsonl"
    images = [base64_text(encode(draw())), base64_text(b"GIF89a"), base64_text(encode(draw(100)))]
    with serve(tracking_uri=registry, model_name="bukva-ink", prediction_log=path) as server:
        server.wait_until_ready()
        answer = server.http.post("/v1/predict/batch", json={"images": images})
    lines = lines_of(path)
    assert [line["id"] for line in lines] == [answer.headers["x-request-id"]] * 2


def test_it_is_rotated_by_size_and_only_so_many_are_kept(registry, serve, tmp_path):
    path = tmp_path / "predictions.jsonl"
    with serve(
        tracking_uri=registry,
        model_name="bukva-ink",
        prediction_log=path,
        prediction_log_max_bytes=1000,
        prediction_log_files=2,
    ) as server:
        server.wait_until_ready()
        sent = [predict(server).headers["x-request-id"] for _ in range(40)]
    kept = sorted(tmp_path.iterdir(), reverse=True)
    assert [file.name.removeprefix("predictions.jsonl") for file in kept] == [".2", ".1", ""]
    assert all(file.stat().st_size <= 1000 for file in kept)
    ids = [line["id"] for file in kept for line in lines_of(file)]
    assert ids == sent[-len(ids) :], "the latest ones, in their order"


def test_a_full_disk_fails_no_request(registry, serve, caplog):
    with serve(tracking_uri=registry, model_name="bukva-ink", prediction_log="/dev/full") as server:
        server.wait_until_ready()
        with ThreadPoolExecutor(4) as threads:
            answers = list(threads.map(lambda _: predict(server), range(20)))
        assert {answer.status_code for answer in answers} == {200}
        wait_for(lambda: read_metrics(server)[("bukva_prediction_log_lost_total",)] == 20)
    [said] = [record for record in caplog.records if record.msg == "prediction_not_logged"]
    assert "No space left" in str(said.exc_info[1]), "once, and why"


def test_a_place_that_cannot_be_written_fails_no_request(registry, serve, tmp_path):
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "predictions.jsonl"
    with serve(tracking_uri=registry, model_name="bukva-ink", prediction_log=path) as server:
        server.wait_until_ready()
        assert predict(server).status_code == 200
        wait_for(lambda: read_metrics(server)[("bukva_prediction_log_lost_total",)] == 1)


KEDRO_COMES_LATER = """
import sys
from pathlib import Path
from bukva.serving.metrics import PredictionLog
from bukva.serving.schemas import Recognition

read = Recognition(
    symbol=None, label=None, case=None, confidence=None, case_confidence=None,
    is_symbol=False, symbol_confidence=0.1, alternatives=[],
)
with PredictionLog(Path(sys.argv[1]), 10_000, 1, lambda: print("lost")) as log:
    log.note(read, "1")
    from kedro.framework.project import configure_project
    configure_project("bukva")
    log.note(read, "2")
"""


def test_it_outlives_the_logging_that_kedro_configures(tmp_path):
    path = tmp_path / "predictions.jsonl"
    finished = subprocess.run(
        [sys.executable, "-c", KEDRO_COMES_LATER, str(path)],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert "lost" not in finished.stdout
    lines = lines_of(path)
    assert [(line["model_version"], line["symbol"]) for line in lines] == [("1", None), ("2", None)]
