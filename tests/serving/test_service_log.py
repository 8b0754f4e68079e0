import json
import subprocess
import sys

SCRIPT = """
import logging
from bukva.serving.logs import configure_logging, log_event, quiet_kedro

configure_logging()
from kedro.framework.project import configure_project
configure_project("bukva")
print("a library prints")
logging.getLogger("kedro").warning("a node is odd")
quiet_kedro()
log_event("loaded", version="7")
logging.getLogger("python_multipart.multipart").warning("a body is odd")
logging.getLogger("kedro.pipeline.node").info("running a node")
"""


def test_log_outlives_the_logging_that_kedro_configures():
    finished = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60, check=True
    )
    [line] = map(json.loads, finished.stdout.splitlines())
    assert (line["event"], line["version"]) == ("loaded", "7")
    assert "a library prints" in finished.stderr
    assert "a node is odd" in finished.stderr
    assert "running a node" not in finished.stderr
    assert "a body is odd" not in finished.stderr
