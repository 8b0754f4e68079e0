"""From a registered version to one that may answer: its seal is checked, then it is tried."""

import re
import shutil
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from bukva.errors import ModelError, SealError
from bukva.seal import BY_MLFLOW, DIGEST_TAG, check_signature, digest_folder
from bukva.serving.logs import quiet_kedro
from bukva.serving.model.cache import ModelCache
from bukva.serving.model.contract import PROBE_IMAGES, check_golden, check_probe
from bukva.serving.model.drift import DriftMonitor
from bukva.serving.model.loaded import Dossier, LoadedModel
from bukva.serving.model.registry import RegisteredVersion
from bukva.serving.settings import Settings

# It also names a folder of the cache.
_DIGEST = re.compile(r"([0-9a-f]{64})?")


def load_model(version: RegisteredVersion, settings: Settings, cache: ModelCache) -> LoadedModel:
    """Load a version, from the cache if it is there, and keep it there if it answers as it should.

    A packaged model is code as much as data, so nothing of it is read before its files are found to
    be those that were sealed; and they are read from a copy that nobody else writes to.

    Raises:
        SealError: If the files are not those that were sealed, or nobody trusted signed them.
        ModelError: If it does not answer as a packaged model does, or not as it once did.
    """
    import mlflow

    scratch = TemporaryDirectory(prefix="bukva-model-")
    files = Path(scratch.name) / "model"
    digest = _fetch(version, files, cache)
    is_signed = _check_seal(version, digest, settings)
    pyfunc = mlflow.pyfunc.load_model(str(files))
    quiet_kedro()
    dossier = Dossier.read(files)
    drift = DriftMonitor(dossier.reference, settings.drift_window)
    model = LoadedModel(version.identity, pyfunc, digest, is_signed, dossier, drift, scratch)
    _try_out(model, settings.deadline_s)
    cache.keep(version, digest, files)
    return model


def _fetch(version: RegisteredVersion, files: Path, cache: ModelCache) -> str:
    """Put the files into a folder and return their digest."""
    if not _DIGEST.fullmatch(version.digest):
        raise SealError(f"Expected a sha256 in the version's tag {DIGEST_TAG}, got another text.")
    if version.digest and cache.copy(version.digest, files):
        if digest_folder(files) == version.digest:
            return version.digest
        cache.drop(version.digest)
        shutil.rmtree(files)
    from mlflow.artifacts import download_artifacts

    downloaded = Path(download_artifacts(version.uri, dst_path=str(files.parent / "download")))
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


def _try_out(model: LoadedModel, deadline_s: float) -> None:
    """Ask what it must know; the first call also warms it up."""
    check_probe(model.predict(PROBE_IMAGES))
    begun_s = time.monotonic()
    check_probe(model.predict(PROBE_IMAGES))
    if (took_s := time.monotonic() - begun_s) > deadline_s:
        raise ModelError(f"Expected an answer within {deadline_s} s, it came after {took_s:.1f} s.")
    check_golden(model.predict, model.dossier.golden)
    _ = model.mapped  # the first question for a map; nobody need wait for it
