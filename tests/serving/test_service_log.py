import json
import subprocess
import sys

SCRIPT = """
import logging
from bukva.serving.logs import configure_logging, log_event, quiet_kedro

configure_logging()
from kedro.framework.project import configure_project
configure_project("bukva")
quiet_kedro()
log_event("loaded", version="7")
logging.getLogger("kedro.pipeline.node").info("running a node")
"""


def test_log_outlives_the_logging_that_kedro_configures():
    finished = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60, check=True
    )
    [line] = [json.loads(line) for line in finished.stdout.splitlines() if line.startswith("{")]
    assert (line["event"], line["version"]) == ("loaded", "7")
    assert "running a node" not in finished.stdout + finished.stderr
