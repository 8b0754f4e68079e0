"""What the service counts, for Prometheus."""

from collections.abc import Callable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from bukva.serving.schemas import Recognition

CONTENT_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
_SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1)


class Metrics:
    """The counters of one application.

    Labels hold nothing that a caller chooses freely: routes as they are written in the program,
    symbols of the alphabet, versions of the registry.
    """

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._requests = Counter(
            "bukva_requests", "Answered requests", ["route", "status"], registry=registry
        )
        self._seconds = Histogram(
            "bukva_request_seconds", "From the first byte of a request to the last of its answer",
            ["route"], buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self._symbols = Counter(
            "bukva_symbols", "Symbols that were read; `none` for refused images",
            ["model_version", "symbol"], registry=registry,
        )  # fmt: skip
        self._confidence = Histogram(
            "bukva_confidence", "Confidence of what was read",
            ["model_version"], buckets=_SHARES, registry=registry,
        )  # fmt: skip
        self._drift = Gauge(
            "bukva_drift_psi", "How far what is asked is from what the model was measured on",
            ["measure"], registry=registry,
        )  # fmt: skip
        self._drift_alarm = Gauge(
            "bukva_drift_alarm", "1 where that is too far", ["measure"], registry=registry
        )
        self._delivered = Counter(
            "bukva_feedback_delivered", "Corrections that were delivered", registry=registry
        )
        self._feedback = Gauge(
            "bukva_feedback", "Corrections in the folder: `waiting`, or `dead` (set aside)",
            ["state"], registry=registry,
        )  # fmt: skip
        self._lost_notes = Counter(
            "bukva_prediction_log_lost", "Lines of the prediction log that could not be written",
            registry=registry,
        )  # fmt: skip

    def count_request(self, route: str | None, status: int, seconds: float) -> None:
        """Counts an answered request; `route` is None where there is none."""
        route = route or "none"
        self._requests.labels(route, status).inc()
        self._seconds.labels(route).observe(seconds)

    def refusal_counter(self, status: int) -> Callable[[str], None]:
        """Returns what counts requests of a route that were refused at once, and is quick."""
        counters: dict[str, Counter] = {}

        def count(route: str) -> None:
            if route not in counters:
                counters[route] = self._requests.labels(route, status)
            counters[route].inc()

        return count

    def count_symbol(self, recognition: Recognition, model_version: str) -> None:
        """Counts what was read in an image."""
        self._symbols.labels(model_version, recognition.symbol or "none").inc()
        if recognition.confidence is not None:
            self._confidence.labels(model_version).observe(recognition.confidence)

    def set_drift(self, index: Mapping[str, float], alarm: float) -> None:
        """Shows the stability index of each measure, and whether it reaches `alarm`."""
        self._drift.clear()
        self._drift_alarm.clear()
        for measure, value in index.items():
            self._drift.labels(measure).set(value)
            self._drift_alarm.labels(measure).set(value >= alarm)

    def count_delivered(self) -> None:
        """Counts a correction that was delivered."""
        self._delivered.inc()

    def watch_feedback(self, state: str, count: Callable[[], int]) -> None:
        """Shows what `count` returns when the counters are read; it must be quick."""
        self._feedback.labels(state).set_function(count)

    def count_lost_note(self) -> None:
        """Counts a line of the prediction log that could not be written."""
        self._lost_notes.inc()

    def write(self) -> bytes:
        """The counters as text, of type CONTENT_TYPE."""
        return generate_latest(self._registry)
