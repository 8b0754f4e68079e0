import json

import pytest
from mlflow import MlflowClient
from packaged_models import add_dossier
from serving_requests import draw, encode
from serving_servers import tracking_restored
from test_service_metrics import read_metrics

REFERENCE = {"measures": {"ink_share": {"edges": [0.5], "shares": [0.1, 0.9]}}, "labels": {}}
RESULTS = {"all.label_accuracy": 0.9, "all.label_accuracy.ci95": [0.8, 0.95]}


@pytest.fixture(scope="module")
def described(registry):
    """A registry in which the ink model has a dossier."""
    import mlflow

    with tracking_restored():
        mlflow.set_tracking_uri(registry)
        source = MlflowClient().get_model_version("bukva-fragile", "1").source
        dossier = {"results.json": RESULTS, "reference.json": REFERENCE, "labels.png": b"PNG"}
        add_dossier(source.removeprefix("models:/"), {**dossier, "card.md": "# Картка".encode()})
    return registry


@pytest.fixture
def server(serve, described, tmp_path):
    with serve(
        tracking_uri=described, model_name="bukva-fragile", drift_window=200, model_cache=tmp_path
    ) as server:
        server.wait_until_ready()
        yield server


def test_the_model_tells_what_it_is(server):
    said = server.http.get("/v1/model").json()
    assert said["model"] == {"name": "bukva-fragile", "version": "1", "alias": "prod"}
    assert said["results"] == RESULTS
    assert said["card"] == "# Картка"
    assert said["figures"] == ["labels"]
    assert (said["is_signed"], len(said["files_sha256"]), said["drift"]) == (False, 64, {})


def test_its_figures_are_shown(server):
    answer = server.http.get("/v1/model/figures/labels")
    assert (answer.headers["content-type"], answer.content) == ("image/png", b"PNG")
    for name in ("other", "..%2Fcard", "labels.png"):
        assert server.http.get(f"/v1/model/figures/{name}").json()["code"] == "not_found"


def test_drift_is_told_once_the_window_is_full(server):
    image = encode(draw())
    for _ in range(200):
        server.http.post("/v1/predict", files={"file": ("a.png", image)})
    drift = server.http.get("/v1/model").json()["drift"]
    assert drift["ink_share"] > 1
    found = read_metrics(server)
    assert found["bukva_drift_psi", "ink_share"] == pytest.approx(drift["ink_share"], abs=1e-3)
    assert found["bukva_drift_alarm", "ink_share"] == 1


def test_without_a_model_there_is_nothing_to_tell(serve, tmp_path):
    with serve(tracking_uri=f"sqlite:///{tmp_path}/mlflow.db") as server:
        for path in ("/v1/model", "/v1/model/figures/labels"):
            assert server.http.get(path).json()["code"] == "model_not_ready"


def test_what_the_network_saw_goes_with_an_explanation(server):
    import base64
    import io

    from PIL import Image

    file = {"file": ("a.png", encode(draw()))}
    said = server.http.post("/v1/explain", files=file).json()
    frame = Image.open(io.BytesIO(base64.b64decode(said["frame"])))
    assert (frame.format, frame.size, frame.getextrema()) == ("PNG", (28, 28), (0, 255))
    assert json.dumps(said)
