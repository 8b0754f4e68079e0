"""Whether MLflow is there is known in seconds, and said with its address."""

import inspect
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from serving_servers import free_port

from bukva.errors import TrackingUnreachableError
from bukva.registry.tracking import check_tracking, locate_tracking


@contextmanager
def listening(answer: bytes | None) -> Iterator[int]:
    """A port that takes connections and says `answer`, or nothing at all."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        thread = threading.Thread(target=_answer_once, args=(server, answer), daemon=True)
        if answer is not None:
            thread.start()
        yield server.getsockname()[1]


def _answer_once(server: socket.socket, answer: bytes) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(4096)
        connection.sendall(answer)


class _Mlflow(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/version" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class _MlflowBehindPassword(_Mlflow):
    status = 401


@pytest.mark.parametrize("scheme", ["http", "postgresql", "postgresql+psycopg", "mysql+pymysql"])
def test_a_closed_port_is_known_at_once(scheme: str) -> None:
    uri = f"{scheme}://127.0.0.1:{free_port()}/mlflow"
    started_s = time.monotonic()
    with pytest.raises(TrackingUnreachableError, match="Start it, or set") as caught:
        check_tracking(uri)
    assert time.monotonic() - started_s < 2
    assert uri in str(caught.value)


def test_a_silent_server_is_given_up() -> None:
    with listening(None) as port:
        started_s = time.monotonic()
        with pytest.raises(TrackingUnreachableError, match=f"127.0.0.1:{port}"):
            check_tracking(f"http://127.0.0.1:{port}", timeout_s=0.3)
        assert 0.2 < time.monotonic() - started_s < 2


def test_the_patience_is_seconds() -> None:
    """A name may stand for several addresses: a run still ends within ten seconds for two."""
    assert inspect.signature(check_tracking).parameters["timeout_s"].default <= 5


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH\r\n", b""])
def test_a_server_that_is_not_mlflow_is_refused(answer: bytes) -> None:
    with listening(answer) as port, pytest.raises(TrackingUnreachableError, match=f":{port}"):
        check_tracking(f"http://127.0.0.1:{port}", timeout_s=2)


@pytest.mark.parametrize("uri", ["http://", "http://host:port/", "postgresql://u@host:port/db"])
def test_an_address_that_is_none_is_refused(uri: str) -> None:
    with pytest.raises(TrackingUnreachableError, match="mlflow_tracking_uri"):
        check_tracking(uri, timeout_s=1)


@pytest.mark.parametrize("handler", [_Mlflow, _MlflowBehindPassword])
def test_a_server_that_answers_is_fine(handler: type[_Mlflow]) -> None:
    """What it refuses is said better by MLflow itself."""
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        check_tracking(f"http://127.0.0.1:{server.server_port}/")
        server.shutdown()


def test_a_database_that_listens_is_fine() -> None:
    with listening(None) as port:
        check_tracking(f"postgresql://127.0.0.1:{port}/mlflow", timeout_s=2)


def test_a_password_is_not_shown() -> None:
    with pytest.raises(TrackingUnreachableError) as caught:
        check_tracking(f"postgresql://bukva:geheim@127.0.0.1:{free_port()}/mlflow")
    assert "geheim" not in str(caught.value)
    assert "bukva:***@127.0.0.1" in str(caught.value)


def test_the_folder_of_an_sqlite_database_is_made(tmp_path: Path) -> None:
    check_tracking(f"sqlite:///{tmp_path}/new/mlflow.db")
    assert (tmp_path / "new").is_dir()


def test_an_sqlite_database_without_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TrackingUnreachableError, match=r"file/mlflow\.db"):
        check_tracking(f"sqlite:///{tmp_path}/file/mlflow.db")


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("sqlite:///mlflow.db", "sqlite:////project/mlflow.db"),
        ("sqlite:///build/test/mlflow.db", "sqlite:////project/build/test/mlflow.db"),
        ("sqlite:////elsewhere/mlflow.db", "sqlite:////elsewhere/mlflow.db"),
        ("sqlite+pysqlite:///mlflow.db", "sqlite+pysqlite:////project/mlflow.db"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("postgresql:///mlflow", "postgresql:///mlflow"),
    ],
)
def test_an_sqlite_file_is_seen_from_the_project(uri: str, expected: str) -> None:
    assert locate_tracking(uri, Path("/project")) == expected
