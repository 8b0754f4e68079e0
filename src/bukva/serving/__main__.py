"""Starts the service: `python -m bukva.serving`."""

import argparse
import os
import signal
import sys

from bukva.errors import ParameterError
from bukva.serving.logs import configure_logging
from bukva.serving.settings import Settings, describe_settings, read_settings

# Read by libraries when they are imported; what the environment says already stays.
_PROCESS_DEFAULTS = {
    # With MLflow's own defaults, a registry that is down blocks a call for four minutes.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "2",
    # One image is too small to be shared between threads.
    "OMP_NUM_THREADS": "1",
}


def main() -> None:
    """Serves until SIGTERM or SIGINT, then finishes what it has begun and exits with 0."""
    parser = _make_parser()
    parser.parse_args()
    try:
        settings = read_settings()
    except ParameterError as error:
        parser.exit(2, f"{error}\n")
    for name, value in _PROCESS_DEFAULTS.items():
        os.environ.setdefault(name, value)
    configure_logging()
    _exit_cleanly_on_signals()
    _serve(settings)


def _make_parser() -> argparse.ArgumentParser:
    return argparse.ArgumentParser(
        prog="python -m bukva.serving",
        description="Answers POST /v1/predict with the model that MLflow's registry names.",
        epilog="Settings, from the environment:\n" + describe_settings(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _exit_cleanly_on_signals() -> None:
    # uvicorn drains on these signals and raises them again when it has: that is no failure.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))


def _serve(settings: Settings) -> None:
    import uvicorn

    from bukva.serving.app import create_app
    from bukva.serving.bounded_http import bound_http

    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        loop="uvloop",  # asyncio's own costs 40 ms a request on shared sockets
        http=bound_http(settings.header_timeout_s),
        log_config=None,
        access_log=False,  # the service writes its own line for each request
        server_header=False,
        limit_concurrency=settings.max_connections,
        timeout_keep_alive=settings.keep_alive_s,
        timeout_graceful_shutdown=settings.drain_timeout_s,
    )


if __name__ == "__main__":
    main()
