"""Which commands of the docs are run, and by which test; the others stand in marked blocks."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from command_checks import ROOT

CHECKED = 'title="checked, not run in tests"'
NOT_RUN = 'title="not run in tests"'
_BLOCK = re.compile(r"^```(\w+)[^\S\n]*(.*)\n((?:.*\n)*?)```$", re.MULTILINE)
_CONTINUED = re.compile(r"\\\n\s*")

# By tests that take what they run from this table.
_SHELL = "tests/test_docs_run.py::test_a_command_runs_as_it_stands"
_REQUESTS = "tests/serving/test_docs_requests.py::test_a_request_is_answered"
_STAGES = "tests/end_to_end/test_docs_stages.py::test_commands_run_as_they_stand"
# In the environment `test`, in which the whole graph takes seconds.
_JOB = "tests/end_to_end/test_main_job.py::test_each_part_of_the_job_is_one_finished_run"
_SERVE = (
    "tests/end_to_end/test_released_service.py::"
    "test_make_serve_on_a_fresh_clone_reads_a_drawn_letter"
)
_REQUEST = "http://127.0.0.1:8000"
_PREDICT = f"{_REQUEST}/v1/predict"

RUN_BY = {
    "make run": _JOB,
    "python -m bukva job --env=test": _JOB,
    "make serve": _SERVE,
    "make serve PORT=8000": _SERVE,
    "make serve PORT=8080": _SERVE,
    "source .venv/bin/activate": _SHELL,
    "python -m bukva corpora list": _SHELL,
    "python -m bukva.serving --help": _SHELL,
    "python -m bukva.serving --new-key": _SHELL,
    **{f"curl {_REQUEST}/{path}": _REQUESTS for path in (
        "livez", "readyz", "version", "v1/model", "metrics", "openapi.json",
    )},
    f"curl -F file=@docs/images/letter.png {_PREDICT}": _REQUESTS,
    "curl -H 'Content-Type: image/png' --data-binary @docs/images/letter.png "
    f"{_PREDICT}": _REQUESTS,
    """printf '{"image": "%s"}' "$(base64 < docs/images/letter.png | tr -d '\\n')" | """
    f"curl -H 'Content-Type: application/json' -d @- {_PREDICT}": _REQUESTS,
    **{f"kedro run --pipeline={stage}": _STAGES for stage in (
        "data_processing", "mnist_pretraining", "finetuning", "evaluation", "packaging",
        "promotion", "inference", "batch_inference",
    )},
    "kedro registry list": _STAGES,
    "kedro catalog resolve-patterns": _STAGES,
    "kedro catalog resolve-patterns --env=s3": _STAGES,
}  # fmt: skip
"""Command line, as a page has it, and the test that runs it."""


class Block(NamedTuple):
    """A block of code on a page."""

    page: str
    language: str
    title: str
    text: str

    @property
    def lines(self) -> list[str]:
        """Command lines, those that go on over several lines as one."""
        return _CONTINUED.sub("", self.text).splitlines()


def read_blocks(pages: list[Path]) -> Iterator[Block]:
    for page in pages:
        for language, title, text in _BLOCK.findall(page.read_text()):
            yield Block(str(page.relative_to(ROOT)), language, title, text)


def commands_run_by(test: str) -> list[str]:
    """The commands of the docs that a test is to run."""
    return [command for command, by in RUN_BY.items() if by.endswith(f"::{test}")]
