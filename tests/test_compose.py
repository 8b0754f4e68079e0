"""compose.yaml and what it mounts: what a container may, what it is told, who asks how it is."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "compose.yaml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ONCE = {"s3-setup", "s3-bucket", "mlflow-users", "released-model"}
ON_DEMAND = {"training", "operations"}
SERVERS = SERVICES.keys() - ONCE - ON_DEMAND
VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)(?::([-?])([^}]*))?\}")
EXAMPLE = dict(
    line.split("=", 1)
    for line in (ROOT / ".env.example").read_text().splitlines()
    if re.match(r"[A-Z]", line)
)
# Of compose alone; nobody need know them.
UNLISTED = {"STACK_NGINX_IP", "STACK_APP_SUBNET", "TORCH", "REVISION"}


def test_it_keeps_to_the_published_schema() -> None:
    command = [Path(sys.executable).parent / "check-jsonschema", "--builtin-schema"]
    done = subprocess.run(
        [*command, "vendor.compose-spec", ROOT / "compose.yaml"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_docker_compose_reads_it(tmp_path: Path) -> None:
    if not shutil.which("docker"):
        pytest.skip("docker is not installed")
    version = ["docker", "compose", "version"]
    if subprocess.run(version, capture_output=True, check=False).returncode:
        pytest.skip("docker is here without its plugin compose")
    filled = "\n".join(f"{name}={value or 'x' * 32}" for name, value in EXAMPLE.items())
    (tmp_path / ".env").write_text(filled)
    profiles = ["--profile=monitoring", "--profile=operations", "--profile=training"]
    done = subprocess.run(
        ["docker", "compose", f"--env-file={tmp_path / '.env'}", *profiles, "config", "--quiet"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_container_may_do_as_little_as_it_can(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert {"mem_limit", "cpus", "pids_limit"} <= service.keys()
    assert not service.get("privileged")
    assert not any("docker.sock" in str(volume) for volume in service.get("volumes", []))
    # Those that are built, and nginx-unprivileged, say USER in their image.
    if name not in ("s3-setup", "nginx") and "build" not in service:
        assert service["user"] not in ("root", "0")


@pytest.mark.parametrize("name", sorted(SERVERS))
def test_a_server_is_started_again_and_asked_how_it_is(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] == "unless-stopped"
    if "build" in service:  # the health check is the image's
        assert f"AS {service['build']['target']}\n" in (ROOT / "Dockerfile").read_text()
    else:
        assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")


def test_what_waits_for_another_says_for_what() -> None:
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            assert other in SERVICES, name
            expected = "service_completed_successfully" if other in ONCE else "service_"
            assert how["condition"].startswith(expected)


def test_only_nginx_and_grafana_can_be_reached_and_the_database_from_its_network_alone() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published.keys() == {"nginx", "grafana"}
    assert EXAMPLE["STACK_ADDRESS"] == "127.0.0.1"
    assert published["grafana"][0].startswith("127.0.0.1:")
    assert set(COMPOSE["networks"]) == {"edge", "app", "data"}
    assert COMPOSE["networks"]["app"]["internal"]
    assert COMPOSE["networks"]["data"]["internal"]
    assert list(SERVICES["postgresql"]["networks"]) == ["data"]
    assert "data" not in SERVICES["api"]["networks"]
    assert set(SERVICES["nginx"]["networks"]) == {"edge", "app"}


def test_every_variable_is_explained_and_no_secret_has_a_value() -> None:
    used = {found[1] for found in VARIABLE.finditer(TEXT)}
    assert used - EXAMPLE.keys() <= UNLISTED
    secret = re.compile(r"_(PASSWORD|SECRET|KEY)$")
    assert {name for name, value in EXAMPLE.items() if secret.search(name) and value} == set()
    for found in VARIABLE.finditer(TEXT):
        if secret.search(found[1]):
            assert found[2] == "?", f"{found[1]} has to be given"


def test_a_default_is_the_one_of_the_example() -> None:
    for found in VARIABLE.finditer(TEXT):
        if found[2] == "-" and found[1] in EXAMPLE:
            assert found[3] == EXAMPLE[found[1]]


def test_images_have_a_version() -> None:
    for name, image in EXAMPLE.items():
        if name.endswith("_IMAGE"):
            assert re.search(r":v?\d+\.\d+", image), f"{name}={image}"


def test_what_is_mounted_is_there() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("./") and "$" not in source:
                assert (ROOT / source).exists(), source
    for scheme in ("plain", "tls"):
        assert (ROOT / "deploy" / "nginx" / f"{scheme}.conf.template").is_file()


def test_mlflow_asks_for_a_login_runs_no_jobs_and_answers_to_its_names() -> None:
    mlflow = SERVICES["mlflow"]
    assert "--app-name=basic-auth" in mlflow["command"]
    assert any(word.startswith("--allowed-hosts=mlflow:5000,") for word in mlflow["command"])
    assert any(word.startswith("--artifacts-destination=s3://") for word in mlflow["command"])
    assert mlflow["environment"]["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] == "false"


def test_accounts_of_s3_get_what_they_need_and_no_more() -> None:
    content = SERVICES["s3-setup"]["environment"]["S3_IDENTITIES"]
    filled = VARIABLE.sub(lambda found: found[3] if found[2] == "-" else "secret", content)
    accounts = {item["name"]: item["actions"] for item in json.loads(filled)["identities"]}
    assert accounts.keys() == {"owner", "mlflow", "trainer", "service"}
    assert [name for name, actions in accounts.items() if "Admin" in actions] == ["owner"]
    writes = {name: [a for a in actions if "Write" in a] for name, actions in accounts.items()}
    assert writes["service"] == ["Write:bukva/01_raw/feedback/*"]
    assert writes["mlflow"] == ["Write:bukva/mlflow/*"]


def test_settings_of_the_service_are_ones_that_it_takes() -> None:
    from bukva.serving.settings import Settings

    given = {name for name in SERVICES["api"]["environment"] if name.startswith("BUKVA_")}
    assert {name.removeprefix("BUKVA_").lower() for name in given} <= Settings.model_fields.keys()


def expressions() -> list[str]:
    dashboard = json.loads((ROOT / "deploy/grafana/dashboards/bukva.json").read_text())
    shown = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    alerts = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())
    return [*shown, *(rule["expr"] for group in alerts["groups"] for rule in group["rules"])]


def test_dashboard_and_alerts_ask_for_what_the_service_counts() -> None:
    from bukva.serving.metrics import Metrics

    metrics = Metrics()
    metrics.set_drift({"ink": 0.1}, 0.2)
    metrics.watch_feedback("waiting", lambda: 0)
    written = metrics.write().decode()
    kinds = dict(re.findall(r"^# TYPE (\w+) (\w+)", written, re.MULTILINE))
    known = set(kinds) | {f"{name}_bucket" for name, kind in kinds.items() if kind == "histogram"}
    asked = {name for text in expressions() for name in re.findall(r"\bbukva_\w+", text)}
    assert len(asked) >= 8
    assert asked <= known


def test_what_monitoring_advises_to_read_is_there() -> None:
    alerts = (ROOT / "deploy/prometheus/alerts.yml").read_text()
    pages = re.findall(r"docs/\S+\.md", alerts)
    assert pages
    assert all((ROOT / page).is_file() for page in pages)
