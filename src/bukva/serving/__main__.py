"""Starts the service: `python -m bukva.serving`."""

import argparse
import os
import signal
import sys
import threading

from bukva.errors import ParameterError
from bukva.serving.access import hash_key, make_key
from bukva.serving.logs import configure_logging
from bukva.serving.settings import describe_settings, read_settings

# Read by libraries when they are imported; what the environment says already stays.
_PROCESS_DEFAULTS = {
    # With MLflow's own defaults, a registry that is down blocks a call for four minutes.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "2",
    # An open connection would go on reading an SQLite file in whose place another was put.
    "MLFLOW_SQLALCHEMYSTORE_POOLCLASS": "NullPool",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    # One image is too small to be shared between threads.
    "OMP_NUM_THREADS": "1",
}
_LONGEST_END_S = 2.0


def main() -> None:
    """Serves until SIGTERM or SIGINT, then finishes what it has begun and exits with 0."""
    parser = _make_parser()
    if parser.parse_args().new_key:
        key = make_key()
        sys.stdout.write(
            f"key   {key}\nhash  {hash_key(key)}\n"
            "Give the key to whoever asks, and the hash to BUKVA_API_KEY_HASHES.\n"
        )
        return
    try:
        settings = read_settings()
    except ParameterError as error:
        parser.exit(2, f"{error}\n")
    for name, value in _PROCESS_DEFAULTS.items():
        os.environ.setdefault(name, value)
    configure_logging()
    # uvicorn drains on these signals and raises them again when it has: that is no failure.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    # Not before: what they import reads the environment.
    from bukva.serving.app import create_app
    from bukva.serving.server import Server

    Server(create_app(settings), settings).run()


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bukva.serving",
        description="Answers POST /v1/predict with the model that MLflow's registry names.",
        epilog="Settings, from the environment:\n" + describe_settings(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--new-key", action="store_true", help="print a new API key and its hash, and end"
    )
    return parser


def _end(*_: object) -> None:
    # The interpreter waits for its threads. One in which a model hangs cannot be stopped, and its
    # request was answered long ago.
    last_resort = threading.Timer(_LONGEST_END_S, os._exit, (0,))
    last_resort.daemon = True
    last_resort.start()
    sys.exit(0)


if __name__ == "__main__":
    main()
