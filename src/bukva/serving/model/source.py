"""Where the served model comes from: a version of a registered model, found by its alias.

All of it happens in a thread of its own: the registry is never asked within a request.
"""

import gc
import threading

from bukva.errors import BukvaError, ModelError, TrackingUnreachableError
from bukva.serving.logs import log_event, log_failure
from bukva.serving.model.cache import ModelCache
from bukva.serving.model.loaded import LoadedModel
from bukva.serving.model.loading import load_model
from bukva.serving.model.registry import RegisteredVersion, find_version, look_into_sqlite
from bukva.serving.settings import Settings


class ModelSource:
    """Keeps the version of the model that the alias names, and changes it when the alias moves.

    A version is loaded and probed beside the one that answers, and takes its place in one step: a
    request is answered by one version as a whole. The former one stays in memory, so that moving
    the alias back is at once.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._current: LoadedModel | None = None
        self._former: LoadedModel | None = None
        self._refusals: dict[RegisteredVersion, ModelError] = {}
        self._cache = ModelCache(settings)
        self._reason = f"{settings.model_uri} is being loaded."
        self._stopped = threading.Event()

    def current(self) -> LoadedModel | None:
        """The model that answers now, or None while there is none."""
        return self._current

    def reason(self) -> str:
        """Why what the alias names does not answer, and what to do; empty where it does.

        Made of our own words, so safe to show.
        """
        return self._reason

    def start(self) -> None:
        """Begins to watch the alias in the background."""
        # A daemon, so that a registry that does not answer cannot hold up the end of the process.
        threading.Thread(target=self._watch, name="model-source", daemon=True).start()

    def stop(self) -> None:
        """Ends the watch."""
        self._stopped.set()

    def _watch(self) -> None:
        while not self._stopped.is_set():
            try:
                self._follow_alias()
                self._reason = ""
            except BukvaError as error:
                self._report(str(error), error.__cause__)
            except Exception as error:  # a packaged model may raise anything while it loads
                reason = f"{self._settings.model_uri} cannot be loaded: see the service's log."
                self._report(reason, error)
            has_model = self._current is not None
            self._stopped.wait(
                self._settings.alias_poll_s if has_model else self._settings.load_retry_s
            )

    def _report(self, reason: str, cause: BaseException | None) -> None:
        if reason != self._reason:  # once, not at every attempt
            log_failure("model_not_loaded", cause, reason=reason)
        self._reason = reason

    def _follow_alias(self) -> None:
        version = look_into_sqlite(self._settings)
        if self._current is not None and version == self._current.identity.version:
            return
        try:
            wanted = find_version(self._settings)
        except TrackingUnreachableError:
            self._start_from_cache()
            raise
        if self._current is None or wanted.identity != self._current.identity:
            self._change_to(wanted)

    def _start_from_cache(self) -> None:
        """Take the version that was served last, where none is yet."""
        if self._current is None and (known := self._cache.recall()):
            self._change_to(known)

    def _change_to(self, wanted: RegisteredVersion) -> None:
        model = self._provide(wanted)
        _settle_memory()
        self._former, self._current = self._current, model
        self._reason = ""
        log_event("model_loaded", **wanted.identity.model_dump(), digest=model.digest)

    def _provide(self, wanted: RegisteredVersion) -> LoadedModel:
        if self._former is not None and self._former.identity == wanted.identity:
            return self._former
        if wanted in self._refusals:  # it will not get better
            raise self._refusals[wanted]
        try:
            return load_model(wanted, self._settings, self._cache)
        except ModelError as error:
            refusal = ModelError(f"Version {wanted.identity.version} is refused: {error}")
            self._refusals[wanted] = refusal
            raise refusal from error


def _settle_memory() -> None:
    """Have the collector pass over what a loaded model and its libraries made.

    There are a million objects, and to look at all of them holds up whoever asks meanwhile.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
