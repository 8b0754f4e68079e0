"""Stored corrections of lines as a corpus: what people said that their lines say."""

import logging
from collections.abc import Iterator, Mapping

from bukva.core.corrections import DELETED, STATE_FOLDERS, find_task
from bukva.core.samples import RawSample
from bukva.errors import CorrectionError
from bukva.tasks.line.correction import LineCorrection

_logger = logging.getLogger(__name__)


def read_line_corrections(files: Mapping[str, bytes]) -> Iterator[RawSample]:
    """Yield the lines of stored corrections; all of them are to be trained on.

    What is no correction of a line is passed over, and named in the log.

    Args:
        files: Contents of stored files by their path below the folder or bucket.
    """
    to_be_deleted = {path.removeprefix(f"{DELETED}/") for path in files}
    given: set[str] = set()
    for path, content in files.items():
        if path.partition("/")[0] in STATE_FOLDERS or find_task(content) != "line":
            continue
        try:
            correction = LineCorrection.parse(content)
            image = correction.read_image()
        except CorrectionError as error:
            _logger.warning("%s is not learnt from: %s", path, error)
            continue
        is_deleted = correction.place.replace("/", "-") in to_be_deleted
        if is_deleted or correction.id in given:
            continue
        given.add(correction.id)
        yield RawSample(
            correction.id, image, "handwritten", group=correction.client, split="train",
            text=correction.text,
        )  # fmt: skip
