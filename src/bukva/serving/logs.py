"""The service's log: one JSON object a line on standard output, without any image."""

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

from bukva.serving.current_request import current_request

# Not under `bukva`: Kedro configures that logger while a packaged model loads, and thereby takes
# the handlers off all loggers below it.
_LOGGER = logging.getLogger("bukva_serving")


class JsonFormatter(logging.Formatter):
    """Writes a record and its `fields` as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Returns the line, without a newline at its end or in it."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def configure_logging() -> None:
    """Gives standard output to the events of the service and of uvicorn.

    Whatever else is printed, such as Kedro's lines while a packaged model loads, goes to standard
    error: each line of the log must be JSON.
    """
    handler = logging.StreamHandler(sys.stdout)
    sys.stdout = sys.stderr
    handler.setFormatter(JsonFormatter())
    for logger in (_LOGGER, logging.getLogger("uvicorn.error")):
        logger.handlers = [handler]
        logger.setLevel(logging.INFO)
        logger.propagate = False
    # Its warnings quote the bodies of requests.
    logging.getLogger("python_multipart").setLevel(logging.ERROR)


def quiet_kedro() -> None:
    """Stops Kedro's ten INFO lines a prediction, which cost five times the prediction itself.

    Kedro configures logging when it is imported, so this has effect only after a model is loaded.
    """
    for name in ("kedro", "kedro_mlflow"):
        logging.getLogger(name).setLevel(logging.WARNING)


def log_event(event: str, **fields: object) -> None:
    """Logs that `event` happened, with the id of the request in which it did."""
    _LOGGER.info(event, extra={"fields": _with_id(fields)})


def log_failure(event: str, cause: BaseException | None, **fields: object) -> None:
    """Logs that `event` happened, with the stack trace of its cause where there is one."""
    _LOGGER.error(event, extra={"fields": _with_id(fields)}, exc_info=cause)


def _with_id(fields: Mapping[str, object]) -> Mapping[str, object]:
    request = current_request.get()
    return fields if request is None else {"id": request.id, **fields}
