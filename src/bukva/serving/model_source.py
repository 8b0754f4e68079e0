"""Where a served model comes from: found by its alias, fetched, checked, tried, and changed.

All of it happens in a thread of its own: the registry is never asked within a request.
"""

import gc
import re
import shutil
import threading
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Generic, TypeVar

from bukva.errors import BukvaError, ModelError, SealError, TrackingUnreachableError
from bukva.registry.package_files import (
    BY_MLFLOW,
    DIGEST_TAG,
    RECOGNISER_PATH,
    check_signature,
    digest_folder,
)
from bukva.serving.logs import log_event, log_failure
from bukva.serving.model import Dossier, DriftMonitor, LoadedModel
from bukva.serving.settings import Settings
from bukva.serving.versions import ModelCache, RegisteredVersion, find_version

# It also names a folder of the cache.
_DIGEST = re.compile(r"([0-9a-f]{64})?")

M = TypeVar("M", bound=LoadedModel[Any])


def load_model(
    version: RegisteredVersion, settings: Settings, cache: ModelCache, kind: type[M]
) -> M:
    """Load a version, from the cache if it is there, and keep it there if it answers as it should.

    Nothing of it is read before its files are found to be those that were sealed, and then its data
    alone: the ONNX file, whose specification says how an image is prepared for it, and the dossier.
    No code that travels with a packaged model is run, and nothing is unpickled.

    Raises:
        SealError: If the files are not those that were sealed, or nobody trusted signed them.
        ModelError: If it does not answer as a packaged model does, or not as it once did.
    """
    with TemporaryDirectory(prefix="bukva-model-") as scratch:
        files = Path(scratch) / "model"
        digest = _fetch(version, files, cache, settings.tracking_uri)
        is_signed = _check_seal(version, digest, settings)
        dossier = Dossier.read(files)
        drift = DriftMonitor(dossier.reference, settings.drift_window)
        recogniser = kind.open(_read_recogniser(files / RECOGNISER_PATH), settings.deadline_s)
        model = kind(version.identity, recogniser, digest, is_signed, dossier, drift)
        try:
            model.try_out(settings.deadline_s)
        except Exception:
            model.close()  # who remembers the error remembers the model
            raise
        cache.keep(version, digest, files)
    return model


def _read_recogniser(file: Path) -> bytes:
    if not file.is_file():
        raise ModelError(
            f"Expected the file {RECOGNISER_PATH} in the packaged model, found none. Package it "
            "with `kedro run --pipeline=packaging`, and promote that."
        )
    return file.read_bytes()


def _fetch(version: RegisteredVersion, files: Path, cache: ModelCache, tracking_uri: str) -> str:
    """Put the files into a folder and return their digest."""
    if not _DIGEST.fullmatch(version.digest):
        raise SealError(f"Expected a sha256 in the version's tag {DIGEST_TAG}, got another text.")
    if version.digest and cache.copy(version.digest, files):
        if digest_folder(files) == version.digest:
            return version.digest
        cache.drop(version.digest)
        shutil.rmtree(files)
    from mlflow.artifacts import download_artifacts

    folder = str(files.parent / "download")
    downloaded = Path(download_artifacts(version.uri, dst_path=folder, tracking_uri=tracking_uri))
    (downloaded / BY_MLFLOW).unlink(missing_ok=True)
    digest = digest_folder(downloaded)
    downloaded.replace(files)
    return digest


def _check_seal(version: RegisteredVersion, digest: str, settings: Settings) -> bool:
    """Return whether the files are signed by somebody trusted; they are whole in any case."""
    if version.digest and version.digest != digest:
        message = f"Expected files with the digest {version.digest[:12]}, got {digest[:12]}."
        raise SealError(f"{message} Register the model again.")
    if settings.trusted_keys is None:
        return False
    if not version.signature:
        raise SealError("Expected a signature, as BUKVA_TRUSTED_KEYS is set, got none.")
    check_signature(version.identity.name, digest, version.signature, settings.trusted_keys)
    return True


class ModelSource(Generic[M]):
    """Keeps the version of a model that the alias names, and changes it when the alias moves.

    A version is loaded and probed beside the one that answers, and takes its place in one step: a
    request is answered by one version as a whole. The former one stays in memory, so that moving
    the alias back is at once.
    """

    def __init__(self, settings: Settings, kind: type[M]) -> None:
        """Begin with no model.

        Args:
            settings: Which one, and how it is looked for.
            kind: What is made of its files.
        """
        self._settings = settings
        self._kind = kind
        self._current: M | None = None
        self._former: M | None = None
        self._refusals: dict[RegisteredVersion, ModelError] = {}
        self._cache = ModelCache(settings)
        self._reason = f"{settings.model_uri} is being loaded."
        self._stopped = threading.Event()

    @property
    def name(self) -> str:
        """How the registered model is called."""
        return self._settings.model_name

    def current(self) -> M | None:
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
        """Ends the watch, and what its models hold beside memory."""
        self._stopped.set()
        for model in (self._current, self._former):
            if model is not None:
                model.close()

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

    def _provide(self, wanted: RegisteredVersion) -> M:
        if self._former is not None and self._former.identity == wanted.identity:
            return self._former
        if wanted in self._refusals:  # it will not get better
            raise self._refusals[wanted]
        try:
            return load_model(wanted, self._settings, self._cache, self._kind)
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
