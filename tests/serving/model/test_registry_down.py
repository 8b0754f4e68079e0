"""The registry goes away and comes back; recognition does not notice."""

import shutil
from pathlib import Path

import mlflow
import pytest
from mlflow_server import run_mlflow
from serving_requests import draw, encode
from serving_servers import Server, free_port, run_process, tracking_restored, wait_for

pytestmark = pytest.mark.timeout(300)


def predicted_by(server: Server) -> str:
    answer = server.http.post("/v1/predict", files={"file": ("a.png", encode(draw()))})
    version: str = answer.raise_for_status().json()["model"]["version"]
    return version


def warning_of(server: Server) -> str | None:
    found: str | None = server.http.get("/readyz").raise_for_status().json()["warning"]
    return found


def test_recognition_goes_on_and_starts_without_the_registry(registry, tmp_path):
    port = free_port()
    common = {
        "BUKVA_TRACKING_URI": f"http://127.0.0.1:{port}",
        "BUKVA_MODEL_NAME": "bukva-ink",
        "BUKVA_ALIAS_POLL_S": "0.2",
        "BUKVA_LOAD_RETRY_S": "0.2",
    }
    with run_process(**common, BUKVA_MODEL_CACHE=str(tmp_path / "cache")) as server:
        with run_mlflow(registry, port):
            server.wait_until_ready(timeout_s=60)
            assert warning_of(server) is None
        wait_for(lambda: warning_of(server))
        assert "does not answer" in warning_of(server)
        assert predicted_by(server) == "1"
        with (
            run_process(**common, BUKVA_MODEL_CACHE=str(tmp_path / "cache")) as second,
            run_process(**common, BUKVA_MODEL_CACHE=str(tmp_path / "empty")) as third,
        ):
            second.wait_until_ready(timeout_s=60)
            assert "does not answer" in warning_of(second)
            assert predicted_by(second) == "1"
            third.wait_for_reason("does not answer")
            with run_mlflow(registry, port):
                third.wait_until_ready(timeout_s=60)
                wait_for(lambda: warning_of(second) is None)
                assert predicted_by(second) == predicted_by(third) == "1"


def test_a_registry_file_that_is_put_in_place_of_another_is_read(registry, tmp_path):
    """As one that is restored from a copy; in a folder whose name an address has to quote."""
    file = tmp_path / "100 %20 of #1" / "mlflow.db"
    file.parent.mkdir()
    shutil.copy(registry.removeprefix("sqlite:///"), file)
    environment = {
        "BUKVA_TRACKING_URI": f"sqlite:///{file}",
        "BUKVA_MODEL_NAME": "bukva-ink",
        "BUKVA_ALIAS_POLL_S": "0.2",
    }
    with run_process(**environment) as server:
        server.wait_until_ready(timeout_s=60)
        other = Path(shutil.copy(file, tmp_path / "other.db"))
        with tracking_restored():
            mlflow.set_tracking_uri(f"sqlite:///{other}")
            mlflow.MlflowClient().delete_registered_model_alias("bukva-ink", "prod")
        other.rename(file)
        wait_for(lambda: warning_of(server))
        assert "has no models:" in warning_of(server)
        assert predicted_by(server) == "1"
