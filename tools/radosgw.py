"""Starts Ceph's S3 server, and runs a command that finds it in BUKVA_TEST_S3_URL, _KEY and _SECRET.

python tools/radosgw.py [command ...]

Without a command: the tests of what we use of S3. A monitor, an object store in memory and the
gateway run as plain processes on loopback, in a folder that goes with them. They come from the
distribution: apt-get install -y --no-install-recommends ceph-mon ceph-osd radosgw
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

PROGRAMS = ("monmaptool", "ceph-mon", "ceph", "ceph-osd", "radosgw", "radosgw-admin")
TESTS = [
    "tests/datasets/test_s3_server.py",
    "tests/datasets/test_s3_saves.py",
    "tests/datasets/test_s3_faults.py",
    "tests/datasets/test_fetch.py",
    "tests/datasets/test_corpora.py",
    "tests/end_to_end/test_killed_saves.py",
    "tests/end_to_end/test_job_on_s3.py",
]
START_TIMEOUT_S = 120.0

CONFIG = """
[global]
fsid = {fsid}
mon host = [v2:127.0.0.1:{mon_port}/0]
ms bind msgr1 = false
ms mon client mode = crc
ms mon service mode = crc
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = none
auth service required = none
auth client required = none
run dir = {folder}
log file =
log to stderr = true
err to stderr = true
debug rocksdb = 0
admin socket =
crash dir = {folder}
keyring = {folder}/keyring
osd crush chooseleaf type = 0
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
mon allow pool size one = true
mon max pg per osd = 1000
osd objectstore = memstore
memstore device bytes = 4294967296
[mon.a]
mon data = {folder}/mon
[osd.0]
osd data = {folder}/osd
[client.gateway]
rgw frontends = beast endpoint=127.0.0.1:{port}
rgw thread pool size = 32
rgw enable usage log = false
rgw data = {folder}/gateway
"""


def main() -> None:
    """Run the command; exit as it does."""
    if missing := [name for name in PROGRAMS if not shutil.which(name)]:
        sys.exit(f"Expected the programs {', '.join(missing)}, found none.{__doc__.split(':')[-1]}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    command = sys.argv[1:] or [sys.executable, "-m", "pytest", *TESTS]
    with tempfile.TemporaryDirectory(prefix="ceph-") as name, running(Path(name)) as variables:
        sys.exit(subprocess.run(command, env=os.environ | variables, check=False).returncode)


@contextmanager
def running(folder: Path) -> Iterator[dict[str, str]]:
    """Run the three processes; give the variables that lead to the gateway."""
    port, key, secret = free_port(), secrets.token_hex(10), secrets.token_hex(20)
    fsid, mon_port = str(uuid.uuid4()), free_port()
    config = folder / "ceph.conf"
    config.write_text(CONFIG.format(fsid=fsid, mon_port=mon_port, port=port, folder=folder))
    log = (folder / "log").open("wb")
    with ExitStack() as stack:
        stack.callback(log.close)

        def start(*command: str) -> None:
            process = subprocess.Popen([*command, f"--conf={config}"], stdout=log, stderr=log)
            stack.callback(stop, process)

        try:
            start_monitor(start, config, folder, fsid, mon_port)
            start_storage(start, config, folder)
            add_user(config, key, secret)
            start("radosgw", "-f", "-n", "client.gateway")
            wait_for_answer(f"http://127.0.0.1:{port}")
        except (subprocess.SubprocessError, TimeoutError) as error:
            log.flush()
            sys.exit(f"{error}\n{(folder / 'log').read_text(errors='replace')[-9000:]}")
        yield {
            "BUKVA_TEST_S3_URL": f"http://127.0.0.1:{port}",
            "BUKVA_TEST_S3_KEY": key,
            "BUKVA_TEST_S3_SECRET": secret,
        }


def start_monitor(start, config: Path, folder: Path, fsid: str, port: int) -> None:
    """Make a monitor and run it."""
    monmap = folder / "monmap"
    address = f"[v2:127.0.0.1:{port}/0]"
    run("monmaptool", "--create", f"--fsid={fsid}", "--addv", "a", address, str(monmap))
    run("ceph-mon", "--mkfs", "-i", "a", f"--monmap={monmap}", f"--conf={config}")
    start("ceph-mon", "-f", "-i", "a")


def start_storage(start, config: Path, folder: Path) -> None:
    """Make an object store in memory and run it."""
    osd = str(uuid.uuid4())
    run("ceph", f"--conf={config}", "--connect-timeout=60", "osd", "new", osd)
    (folder / "osd").mkdir()
    run("ceph-osd", "--mkfs", "-i", "0", f"--osd-uuid={osd}", f"--conf={config}")
    start("ceph-osd", "-f", "-i", "0")


def add_user(config: Path, key: str, secret: str) -> None:
    """Make the user whose keys the tests have; waits until there is where to keep it."""
    user = ["user", "create", "--uid=bukva", "--display-name=bukva"]
    keys = [f"--access-key={key}", f"--secret-key={secret}"]
    run("radosgw-admin", f"--conf={config}", "-n", "client.gateway", *user, *keys)


def run(*command: str) -> None:
    """Run a command to its end; what it says is shown where it fails."""
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=START_TIMEOUT_S
    )
    if done.returncode:
        raise subprocess.SubprocessError(f"{' '.join(command)} failed:\n{done.stderr}")


def stop(process: subprocess.Popen) -> None:
    """End a process that was started here."""
    process.terminate()
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(timeout=15)


def wait_for_answer(url: str) -> None:
    """Wait until the gateway answers at all."""
    deadline_s = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline_s:
        try:
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310 - http only
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise TimeoutError(f"Nothing answers at {url} after {START_TIMEOUT_S:g} s.")


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
