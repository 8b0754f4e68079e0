"""Kills the service while corrections are given, takes S3 away for a while, and looks for losses.

python benchmarks/feedback_faults.py [--rounds 50] [--outage-s 600]

Real processes: the service, and moto's S3 server, which is stopped for the outage so that it takes
connections and answers nothing. Exits with 1 if a correction was lost, changed, stored twice or by
half, or if recognition failed during the outage.
"""

import argparse
import sys
import tempfile
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Timer

import httpx
import mlflow
import numpy as np

# The faults, the servers and the requests are those of the tests.
sys.path.append(str(Path(__file__).parents[1] / "tests" / "serving"))

from bucket_server import BUCKET, BucketServer, run_bucket
from feedback_requests import correction, give
from packaged_models import register
from serving_requests import draw, encode
from serving_servers import Server, run_process, wait_for

from bukva.serving.feedback_files import try_parsing
from bukva.tasks.glyph.charset import SYMBOLS

CLIENTS = 4
RANDOM = np.random.default_rng()
MODEL = "bukva-ink"
FILE = {"file": ("a.png", encode(draw()))}


@dataclass
class Ledger:
    """What the service has acknowledged, and how it answered otherwise."""

    symbols: dict[str, str] = field(default_factory=dict)
    refused: list[int] = field(default_factory=list)
    predictions_ms: list[float] = field(default_factory=list)
    failed_predictions: list[int] = field(default_factory=list)

    def give(self, server: Server) -> None:
        """Give a correction, and write down what came back."""
        symbol = str(RANDOM.choice(list(SYMBOLS)))
        answer = give(server, correction(symbol), key=uuid.uuid4().hex)
        if answer.status_code == 201:
            self.symbols[answer.json()["id"]] = symbol
        else:
            self.refused.append(answer.status_code)

    def predict(self, server: Server) -> None:
        """Have an image read, and write down how long it took."""
        start_s = time.perf_counter()
        status = server.http.post("/v1/predict", files=FILE).status_code
        self.predictions_ms.append(1e3 * (time.perf_counter() - start_s))
        if status != 200:
            self.failed_predictions.append(status)


def main() -> None:
    """Print a table; exit with 1 on any fault."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=50, help="kills")
    parser.add_argument("--outage-s", type=float, default=600, help="time without S3")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, run_bucket() as bucket:
        folder = Path(name)
        environment = bucket.environment | {
            "BUKVA_FEEDBACK_FOLDER": str(folder / "spool"),
            "BUKVA_FEEDBACK_URL": f"s3://{BUCKET}/feedback",
            "BUKVA_TRACKING_URI": make_registry(folder),
            "BUKVA_MODEL_NAME": MODEL,
        }
        ledger = Ledger()
        for _ in range(options.rounds):
            kill_while_posting(ledger, environment)
        drain_s = take_bucket_away(ledger, bucket, environment, folder, options.outage_s)
        faults = report(ledger, bucket, folder / "spool", drain_s)
    sys.exit(1 if faults else 0)


def make_registry(folder: Path) -> str:
    """Register a model that answers quickly; return the registry's address."""
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    mlflow.set_tracking_uri(uri)
    artifacts = (folder / "artifacts").as_uri()
    register(MODEL, mlflow.create_experiment("serving", artifact_location=artifacts))
    return uri


def kill_while_posting(ledger: Ledger, environment: dict[str, str]) -> None:
    """Kill the service at a moment chosen at random, while several clients post."""
    with run_process(**environment) as server:
        wait_for(lambda: server.answers("/livez"))
        assert server.process
        Timer(RANDOM.uniform(0.1, 2), server.process.kill).start()
        with ThreadPoolExecutor(CLIENTS) as pool:
            for _ in range(CLIENTS):
                pool.submit(post_until_killed, ledger, server)


def post_until_killed(ledger: Ledger, server: Server) -> None:
    """Give corrections until nobody answers."""
    try:
        while True:
            ledger.give(server)
    except httpx.TransportError:
        return


def take_bucket_away(
    ledger: Ledger,
    bucket: BucketServer,
    environment: dict[str, str],
    folder: Path,
    outage_s: float,
) -> float:
    """Post and predict while S3 does not answer; return the seconds until all was delivered."""
    with run_process(**environment) as server:
        server.wait_until_ready()
        bucket.hold_up()
        end_s = time.monotonic() + outage_s
        while time.monotonic() < end_s:
            ledger.give(server)
            ledger.predict(server)
            time.sleep(0.2)
        bucket.let_go()
        start_s = time.monotonic()
        wait_for(lambda: not any((folder / "spool").glob("*.json")), timeout_s=600)
        return time.monotonic() - start_s


def report(ledger: Ledger, bucket: BucketServer, spool: Path, drain_s: float) -> int:
    """Print what was found; return the number of faults."""
    parsed = [try_parsing(content) for content in bucket.contents()]
    whole = [record for record in parsed if record]
    symbols = {record.id: record.symbol for record in whole}
    faults = {
        "lost or changed": sum(symbols.get(i) != s for i, s in ledger.symbols.items()),
        "duplicates": len(whole) - len(symbols),
        "half files": len(parsed) - len(whole),
        "set aside": sum(1 for _ in spool.glob("dead/*")),
        "refused": len(ledger.refused),
        "failed predictions": len(ledger.failed_predictions),
    }
    rows = {
        "acknowledged": len(ledger.symbols),
        "stored": len(whole),
        **faults,
        "predictions during the outage": len(ledger.predictions_ms),
        "slowest of them, ms": round(max(ledger.predictions_ms, default=0)),
        "delivered after the outage, s": round(drain_s, 1),
    }
    for name, value in rows.items():
        print(f"{name:<32}{value:>8}")
    return sum(faults.values())


if __name__ == "__main__":
    main()
