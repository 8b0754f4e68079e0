from prometheus_client.parser import text_string_to_metric_families
from serving_requests import draw, encode


def read_metrics(server):
    """Every sample by its name and labels."""
    answer = server.http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_requests_and_symbols_are_counted(serve, registry):
    with serve(tracking_uri=registry, model_name="bukva-ink") as server:
        server.wait_until_ready()
        file = {"file": ("a.png", encode(draw()))}
        symbols = [server.http.post("/v1/predict", files=file).json()["symbol"] for _ in range(3)]
        server.http.post("/v1/predict", content=b"text")
        server.http.get("/whoever-chose-this")
        found = read_metrics(server)
    assert found["bukva_requests_total", "/v1/predict", "200"] == 3
    assert found["bukva_requests_total", "/v1/predict", "415"] == 1
    assert found["bukva_requests_total", "404", "none"] == 1
    assert found["bukva_request_seconds_count", "/v1/predict"] == 4
    assert found["bukva_symbols_total", "1", symbols[0]] == 3
    assert found["bukva_confidence_count", "1"] == 3
    assert not any("whoever" in label for name in found for label in name)
