"""All servers as plain processes: a model is made on them, lost with them, and comes back."""

import base64
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from kedro_project import PROJECT
from serving_servers import wait_for
from stack_process import LITTLE_TRAINING, Stack, alive, make_stack

from bukva.cli.stack_processes.backup import MANIFEST
from bukva.cli.stack_processes.processes import SERVERS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

LETTER = (PROJECT / "docs" / "images" / "letter.png").read_bytes()
PATIENCE_S = 400  # the machine may be busy


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    # Not below pytest's folder, which nobody else may enter: PostgreSQL is never run by root.
    folder = Path(tempfile.mkdtemp(prefix="bukva-stack-"))
    folder.chmod(0o755)
    with make_stack(folder / "stack") as stack:
        yield stack
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def trained(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """The stack after a training that kept its data in the bucket and its runs in PostgreSQL."""
    stack.start("--no-model")
    # Made before Kedro does it, for a folder: the server says where its artifacts lie.
    trainer = ("trainer", stack.opened.variables["MLFLOW_TRAINER_PASSWORD"])
    url = f"{stack.opened.url('mlflow')}/api/2.0/mlflow/experiments/create"
    assert httpx.post(url, json={"name": "bukva"}, auth=trainer).status_code == 200
    places = {
        "BUKVA_TEST_ROOT": "s3://bukva",
        "BUKVA_TEST_STORAGE": str(tmp_path_factory.mktemp("local")),
        "BUKVA_TEST_TRACKING_URI": stack.opened.url("mlflow"),
    }
    for options in ([f"--params={LITTLE_TRAINING}"], ["--pipeline=promotion"]):
        done = stack.run("kedro", "run", "--env=test", *options, **places)
        assert done.returncode == 0, done.stdout + done.stderr
    wait_for(lambda: stack.answers("/readyz"), timeout_s=PATIENCE_S)
    return stack


@pytest.fixture(scope="module")
def predicted(trained: Stack) -> dict[str, Any]:
    return predict(trained)


@pytest.fixture(scope="module")
def correction_id(trained: Stack) -> str:
    """The id of a correction that was taken."""
    body = {"image": base64.b64encode(LETTER).decode(), "symbol": "Ґ", "consent": True}
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    answer = trained.post("/v1/feedback", json=body, headers=headers)
    assert answer.status_code == 201
    return str(answer.json()["id"])


def predict(stack: Stack) -> dict[str, Any]:
    answer = stack.post("/v1/predict", content=LETTER, headers={"Content-Type": "image/png"})
    assert answer.status_code == 200, answer.text
    content: dict[str, Any] = answer.json()
    return {name: content[name] for name in ("symbol", "confidence", "alternatives", "model")}


def answered_by(stack: Stack, name: str) -> set[int]:
    """The processes that listen at a server's port."""
    port = int(stack.opened.variables[f"{name.upper()}_PORT"])
    connections = psutil.net_connections("tcp")
    return {c.pid for c in connections if c.status == "LISTEN" and c.laddr.port == port}


def test_data_and_model_lie_in_the_bucket(trained: Stack) -> None:
    folders = {key.split("/")[0] for key in trained.objects()}
    assert {"02_intermediate", "03_primary", "06_models", "08_reporting", "mlflow"} <= folders
    assert len(trained.registry()["runs"]) == 2
    assert [item["alias"] for item in trained.registry()["aliases"]].count("prod") == 1


def test_the_model_answers_through_nginx(trained: Stack, predicted: dict[str, Any]) -> None:
    assert predicted["model"]["alias"] == "prod"
    if not shutil.which("nginx"):
        pytest.skip("nginx is not installed: the service answered by itself")
    assert trained.front == trained.opened.url("nginx")
    assert not trained.answers("/metrics")
    assert trained.post("/v1/predict", content=b"0" * 30_000_000).status_code == 413


def test_a_correction_lands_in_the_bucket(trained: Stack, correction_id: str) -> None:
    wait_for(lambda: any(correction_id in key for key in trained.objects()))


def test_nobody_asks_mlflow_without_a_password(trained: Stack) -> None:
    url = f"{trained.opened.url('mlflow')}/api/2.0/mlflow/experiments/search?max_results=1"
    assert httpx.get(url).status_code == 401
    service = ("service", trained.opened.variables["MLFLOW_SERVICE_PASSWORD"])
    assert httpx.get(url, auth=service).status_code == 200
    renamed = {"name": "bukva-glyph", "new_name": "mine"}
    path = "/api/2.0/mlflow/registered-models/rename"
    asked = httpx.post(trained.opened.url("mlflow") + path, json=renamed, auth=service)
    assert asked.status_code == 403
    assert httpx.get(url, headers={"Host": "evil.example"}).status_code == 403


def test_passwords_are_for_their_owner_alone(trained: Stack) -> None:
    for name in ("stack.env", "supervisord.conf"):
        assert (trained.folder / name).stat().st_mode & 0o077 == 0
    secrets = {value for name, value in trained.opened.variables.items() if "PASSWORD" in name}
    commands = [path.read_bytes().decode() for path in Path("/proc").glob("[0-9]*/cmdline")]
    assert not [text for text in commands if any(secret in text for secret in secrets)]
    api = Path(f"/proc/{trained.opened.supervise('pid', 'api').strip()}/environ").read_text()
    assert trained.opened.variables["MLFLOW_SERVICE_PASSWORD"] in api
    assert trained.opened.variables["POSTGRES_PASSWORD"] not in api, "a server has its own alone"


def test_status_names_every_server(trained: Stack) -> None:
    done = trained.ask("status")
    assert done.returncode == 0, done.stdout
    assert [line.split()[1] for line in done.stdout.splitlines()].count("answers") >= 4


def test_predictions_go_on_while_what_keeps_the_models_is_killed(
    trained: Stack, predicted: dict[str, Any]
) -> None:
    before = answered_by(trained, "mlflow")
    trained.kill("postgresql", "s3", "mlflow")
    assert predict(trained) == predicted
    wait_for(lambda: answered_by(trained, "mlflow") != before, timeout_s=PATIENCE_S)
    trained.wait_until_all_answer()
    assert trained.registry()["runs"]
    assert any("terminated by SIGKILL" in line for line in trained.lines), "it is told"


def test_a_service_that_is_killed_is_back_by_itself(
    trained: Stack, predicted: dict[str, Any]
) -> None:
    trained.kill("api")
    wait_for(lambda: trained.answers("/readyz"), timeout_s=PATIENCE_S)
    assert predict(trained) == predicted


@pytest.fixture(scope="module")
def backup(trained: Stack, predicted: dict[str, Any], correction_id: str) -> Path:
    wait_for(lambda: any(correction_id in key for key in trained.objects()))
    folder = trained.folder.parent / "backup"
    done = trained.ask("backup", f"--to={folder}")
    assert done.returncode == 0, done.stderr
    return folder


def test_a_backup_is_whole_or_refused(backup: Path, trained: Stack) -> None:
    lines = (backup / MANIFEST).read_text().splitlines()
    names = [line.split(maxsplit=1)[1] for line in lines]
    assert len(names) == 3 + len(trained.objects())
    assert "a backup replaces nothing" in trained.ask("backup", f"--to={backup}").stderr
    damaged = backup.with_name("damaged")
    shutil.copytree(backup, damaged)
    victim = damaged / max(name for name in names if name.startswith("bucket/mlflow"))
    victim.write_bytes(victim.read_bytes() + b"\0")
    done = trained.ask("restore", f"--from={damaged}", "--replace")
    assert done.returncode == 1
    assert victim.name in done.stderr


def test_a_backup_that_fails_leaves_nothing(trained: Stack) -> None:
    """Told where everything is by its environment, as in compose; the dumps go well."""
    target = trained.folder.parent / "failed"
    wrong = trained.operations | {"RCLONE_CONFIG_S3_SECRET_ACCESS_KEY": "wrong"}
    done = trained.run("bukva", "stack", "backup", f"--to={target}", **wrong)
    assert done.returncode == 1
    assert "rclone failed" in done.stderr
    assert not list(target.parent.glob("*failed*"))


def test_a_restore_does_not_touch_what_is_there(backup: Path, trained: Stack) -> None:
    before = trained.objects()
    done = trained.ask("restore", f"--from={backup}")
    assert done.returncode == 1
    assert "--replace" in done.stderr
    assert trained.objects() == before


def test_what_was_lost_comes_back(
    backup: Path, trained: Stack, predicted: dict[str, Any], correction_id: str
) -> None:
    objects, registry = trained.objects(), trained.registry()
    assert trained.interrupt() == [], "Ctrl+C leaves no process"
    for name in ("postgresql", "s3", "models", "feedback"):
        shutil.rmtree(trained.folder / name)
    trained.start("--no-model")
    assert trained.objects() == {}
    assert not trained.answers("/readyz")

    done = trained.ask("restore", f"--from={backup}")
    assert done.returncode == 0, done.stderr
    wait_for(lambda: trained.answers("/readyz"), timeout_s=PATIENCE_S)
    assert predict(trained) == predicted
    assert trained.objects() == objects
    assert trained.registry() == registry
    assert any(correction_id in key for key in trained.objects())
    assert not list(backup.parent.glob(".*.partial"))


def test_what_a_killed_supervisor_left_is_ended(trained: Stack) -> None:
    """Last: the stack is down afterwards."""
    left = trained.processes()
    trained.opened.find_supervisord().kill()
    assert trained.process.wait(timeout=120) == 0
    assert alive(left) == []
    done = trained.ask("up", f"--port={trained.port}", "--no-model", "--detach")
    assert done.returncode == 0, done.stderr
    left = trained.processes()
    assert len(left) > len(SERVERS)
    trained.opened.find_supervisord().kill()
    done = trained.ask("down")
    assert "All servers have ended" in done.stdout
    assert alive(left) == []
