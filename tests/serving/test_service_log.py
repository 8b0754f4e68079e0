import io
import json
import logging
import subprocess
import sys
import threading

import pytest
from serving_servers import wait_for

from bukva.serving.logs import GatheringHandler

SCRIPT = """
import logging
from bukva.serving.logs import configure_logging, log_event

configure_logging()
print("a library prints")
logging.basicConfig(force=True)
logging.getLogger("library").warning("something is odd")
log_event("loaded", version="7")
logging.getLogger("python_multipart.multipart").warning("a body is odd")
"""


def test_the_log_is_the_only_thing_on_standard_output():
    finished = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60, check=True
    )
    [line] = map(json.loads, finished.stdout.splitlines())
    assert (line["event"], line["version"]) == ("loaded", "7")
    assert "a library prints" in finished.stderr
    assert "something is odd" in finished.stderr
    assert "a body is odd" not in finished.stderr


class Stream(io.StringIO):
    """Counts how often it is written to."""

    writes = 0

    def write(self, text):
        self.writes += 1
        return super().write(text)


@pytest.fixture
def stream():
    return Stream()


@pytest.fixture
def logger(stream):
    logger = logging.Logger("gathered")
    logger.addHandler(GatheringHandler(stream))
    return logger


def test_lines_of_a_moment_are_written_together(logger, stream):
    for number in range(100):
        logger.info("line %d", number)
    wait_for(lambda: "line 99\n" in stream.getvalue())
    assert stream.getvalue().splitlines() == [f"line {number}" for number in range(100)]
    assert stream.writes < 100
    logger.info("later")
    wait_for(lambda: stream.getvalue().endswith("later\n"))


def test_what_is_wrong_is_written_at_once_after_what_was_before(logger, stream):
    logger.info("before")
    logger.error("wrong")
    assert stream.getvalue() == "before\nwrong\n"


def test_no_line_of_many_threads_is_lost(logger, stream):
    def log(name):
        for number in range(500):
            logger.info("%s %d", name, number)

    threads = [threading.Thread(target=log, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait_for(lambda: stream.getvalue().count("\n") == 2000)
    for name in "abcd":
        mine = [line for line in stream.getvalue().splitlines() if line.startswith(name)]
        assert mine == [f"{name} {number}" for number in range(500)]


def test_a_reader_who_goes_away_ends_nothing(logger, stream):
    stream.close()
    logger.error("nobody reads this")
