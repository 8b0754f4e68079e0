import shutil

from serving_requests import JSON_TYPE, draw, encode, json_body
from serving_servers import free_port

from bukva import __version__
from bukva.serving.problems import KINDS
from bukva.serving.request_body import decode_base64
from bukva.serving.schemas import Prediction, Problem, ServedModel, Version


def assert_alive_but_not_ready(server, *reasons):
    """The process lives, says why it cannot recognise, and says so to whoever asks it to."""
    body = json_body(encode(draw()))
    for answer in (
        server.http.get("/readyz"),
        server.http.post("/v1/predict", content=body, headers=JSON_TYPE),
    ):
        assert answer.status_code == 503
        assert answer.json()["code"] == "model_not_ready"
        assert int(answer.headers["retry-after"]) > 0
        assert all(reason in answer.json()["detail"] for reason in reasons)
    assert server.http.get("/livez").json() == {"status": "alive"}
    assert server.http.get("/version").json()["model"] is None


def test_without_a_registry(serve, tmp_path):
    path = tmp_path / "mlflow.db"
    with serve(tracking_uri=f"sqlite:///{path}") as server:
        server.wait_for_reason("no such file")
        assert_alive_but_not_ready(server, "no such file", "make run")
    assert not path.exists()


def test_without_the_model(serve, registry):
    with serve(tracking_uri=registry, model_name="bukva-absent") as server:
        server.wait_for_reason("has no models:")
        assert_alive_but_not_ready(server, "models:/bukva-absent@prod", "make run")


def test_without_the_alias(serve, registry):
    with serve(tracking_uri=registry, model_name="bukva-ink", model_alias="gone") as server:
        server.wait_for_reason("has no models:")
        assert_alive_but_not_ready(server, "models:/bukva-ink@gone", "make run")


def test_registry_that_is_being_made_is_left_alone(serve, tmp_path):
    path = tmp_path / "mlflow.db"
    path.touch()
    with serve(tracking_uri=f"sqlite:///{path}") as server:
        server.wait_for_reason("has no models:")
        assert_alive_but_not_ready(server, "make run")
    assert path.read_bytes() == b""


def test_with_a_registry_that_does_not_answer(serve, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with serve(tracking_uri=f"http://name:secret@127.0.0.1:{free_port()}") as server:
        server.wait_for_reason("does not answer")
        assert_alive_but_not_ready(server, "BUKVA_TRACKING_URI")
        assert "secret" not in server.http.get("/readyz").text


def test_model_that_breaks_its_promise_is_not_served(serve, registry):
    with serve(tracking_uri=registry, model_name="bukva-broken") as server:
        server.wait_for_reason("confidence")
        assert_alive_but_not_ready(server, "finite number")


def test_becomes_ready_when_the_registry_appears(serve, registry, tmp_path):
    path = tmp_path / "mlflow.db"
    with serve(tracking_uri=f"sqlite:///{path}", model_name="bukva-ink") as server:
        server.wait_for_reason("no such file")
        shutil.copy(registry.removeprefix("sqlite:///"), path.with_suffix(".new"))
        path.with_suffix(".new").rename(path)
        server.wait_until_ready()


def test_ready_names_the_model(server):
    model = {"name": "bukva-ink", "version": "1", "alias": "prod"}
    said = server.http.get("/readyz").json()
    tasks = said.pop("tasks")
    assert said == {"status": "ready", "model": model, "warning": None}
    assert tasks["glyph"] is None
    assert "has no models:/bukva-document@prod" in tasks["document"]


def test_version(server):
    answer = server.http.get("/version").json()
    assert answer["bukva"] == __version__
    assert answer["model"]["version"] == "1"
    assert answer["python"].count(".") == 2
    assert answer["mlflow"].startswith("3.")


def test_tools_of_the_open_inference_protocol_find_what_they_look_for(server):
    get = server.http.get
    assert get("/v2/health/live").json() == get("/livez").json()
    assert get("/v2/health/ready").json() == get("/readyz").json()
    extensions = ["binary_tensor_data"]
    assert get("/v2").json() == {"name": "bukva", "version": __version__, "extensions": extensions}
    model = {"name": "bukva-ink", "versions": ["1"], "platform": "mlflow_pyfunc"}
    told = get("/v2/models/bukva-ink").json()
    assert told == get("/v2/models/bukva-ink/ready").json()
    assert told.items() >= model.items()
    assert told["inputs"] == [{"name": "image", "datatype": "BYTES", "shape": [-1]}]
    assert get("/v2/models/other").json()["code"] == "not_found"


def examples(model):
    return {name: field.examples[0] for name, field in model.model_fields.items() if field.examples}


def test_examples_in_openapi_keep_their_own_schema(openapi):
    schemas = openapi["components"]["schemas"]
    assert schemas["Prediction"]["properties"]["symbol"]["examples"] == ["Ґ"]
    served = ServedModel(**examples(ServedModel))
    assert Prediction(**examples(Prediction), model=served).label == "ґ"
    assert Version(**examples(Version), model=served).model == served
    problem = examples(Problem)
    assert KINDS[problem["code"]].status == problem["status"]
    assert KINDS[problem["code"]].title == problem["title"]


def test_openapi_shows_all_forms_of_a_request(openapi):
    operation = openapi["paths"]["/v1/predict"]["post"]
    forms = operation["requestBody"]["content"]
    raw = {f"image/{name}" for name in ("png", "jpeg", "webp")}
    assert set(forms) == {"multipart/form-data", "application/json", *raw}
    [example] = forms["application/json"]["schema"]["properties"]["image"]["examples"]
    assert decode_base64(example).startswith(b"\x89PNG")
    assert set(operation["responses"]) == {
        *("200", "400", "408", "413", "415", "422", "503", "504")
    }
