"""The files of the page on deployment, given to the programs that are to read them."""

import os
import re
import shutil
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from string import Template

import httpx
import pytest
from docs_commands import read_blocks
from kedro_project import PROJECT
from serving_servers import Server, free_port, wait_for

from bukva.serving.settings import Settings, read_settings

PAGE = PROJECT / "docs" / "how_to" / "deploy.md"
FILES = {
    Path(block.title.removeprefix('title="').removesuffix('"')).name: block.text
    for block in read_blocks([PAGE])
    if block.language == "ini"
}
NGINX = PROJECT / "deploy" / "nginx"
NAME = "letters.example.org"


def test_the_settings_are_ones_that_the_service_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("BUKVA_")]:
        monkeypatch.delenv(name)
    given = dict(line.split("=", 1) for line in FILES["settings.env"].splitlines())
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    ours = {name.removeprefix("BUKVA_").lower() for name in given if name.startswith("BUKVA_")}
    assert ours <= Settings.model_fields.keys()
    assert ours == read_settings().model_fields_set


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "bukva@8000.service"
    unit.write_text(FILES["bukva@.service"].replace("/opt/bukva/bin/python", sys.executable))
    done = subprocess.run(
        ["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    stop_s = int(re.search(r"TimeoutStopSec=(\d+)", unit.read_text())[1])
    assert stop_s > 3 + Settings().drain_timeout_s


@pytest.fixture(scope="module")
def proxy(
    released_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """nginx with the file of the page in front of the service, and a client that trusts it."""
    if not shutil.which("nginx"):
        pytest.skip("nginx is not installed")
    folder = tmp_path_factory.mktemp("nginx")
    port = free_port()
    configuration = write_configuration(folder, port, released_server.base_url)
    command = ["nginx", "-p", folder, "-c", configuration, "-e", "stderr"]
    subprocess.run([*command, "-t"], check=True)
    process = subprocess.Popen([*command, "-g", "daemon off;"])
    trusted = ssl.create_default_context(cafile=folder / "tls.crt")
    with httpx.Client(base_url=f"https://127.0.0.1:{port}", verify=trusted) as client:
        client.headers["Host"] = NAME
        client.event_hooks["request"] = [name_server]
        try:
            yield client
        finally:
            process.terminate()
            process.wait(timeout=10)


def name_server(request: httpx.Request) -> None:
    """Ask for the name, as a browser does that was told where it is."""
    request.extensions.setdefault("sni_hostname", NAME)


def write_configuration(folder: Path, port: int, service: str) -> Path:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-days", "2", "-subj", "/CN=x",
         "-addext", f"subjectAltName=DNS:{NAME}",
         "-keyout", folder / "tls.key", "-out", folder / "tls.crt"],
        check=True, capture_output=True,
    )  # fmt: skip
    given = {
        "STACK_SERVERS": f"server {service.removeprefix('http://')};",
        "STACK_LISTEN": str(port),
        "STACK_NAME": NAME,
        "STACK_CERTIFICATES": str(folder),
    }
    names = ("zones.conf.template", "tls.conf.template")
    text = "".join(Template((NGINX / name).read_text()).safe_substitute(given) for name in names)
    shutil.copy(NGINX / "proxy.conf", folder / "bukva_proxy.conf")
    places = "".join(
        f"{name}_temp_path {folder};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    path = folder / "nginx.conf"
    path.write_text(
        f"pid {folder}/nginx.pid;\nevents {{}}\nhttp {{\naccess_log off;\n{places}{text}}}\n"
    )
    return path


def test_a_request_goes_through_the_proxy(proxy: httpx.Client) -> None:
    wait_for(lambda: answers(proxy))
    image = (PROJECT / "docs" / "images" / "letter.png").read_bytes()
    headers = {"Content-Type": "image/png"}
    answer = proxy.post("/v1/predict", content=image, headers=headers)
    assert (answer.status_code, answer.json()["symbol"]) == (200, "Ґ")
    assert proxy.get("/").text.startswith("<!doctype html>")
    assert proxy.get("/readyz").status_code == 200


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/livez").status_code == 200
    except httpx.TransportError:
        return False


def test_the_proxy_refuses_what_it_should(proxy: httpx.Client) -> None:
    wait_for(lambda: answers(proxy))
    assert proxy.get("/metrics").status_code == 404
    assert proxy.post("/v1/predict", content=b"0" * 30_000_000).status_code == 413
    with pytest.raises(httpx.ConnectError):
        proxy.get("/livez", extensions={"sni_hostname": "other.example.org"})


def test_a_flood_of_one_address_is_refused(proxy: httpx.Client) -> None:
    wait_for(lambda: answers(proxy))
    begun_s = time.monotonic()
    statuses = [proxy.get("/livez").status_code for _ in range(300)]
    # 40 at once, and 20 a second: a slow machine may not come so far.
    if 60 + 20 * (time.monotonic() - begun_s) < 300:
        assert 429 in statuses
    assert set(statuses) <= {200, 429}
