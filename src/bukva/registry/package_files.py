"""How a registered model is called and what travels in it, where it lies, its digest and signature.

Who can write to a registry or to its artifacts can change files and digest; a signature they cannot
make. Keys are Ed25519 (RFC 8032) in PEM files, as `openssl genpkey -algorithm ed25519` writes them.
"""

import base64
import hashlib
import re
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from bukva.errors import SealError


def name_model(task: str) -> str:
    """Return how the registered model of a task is called: `${model_name:glyph}` in a catalog."""
    return f"bukva-{task}"


MODEL_NAME: Final = name_model("glyph")
"""Of the model that the service answers with and the command line tells of."""

PRODUCTION_ALIAS: Final = "prod"
PREVIOUS_ALIAS: Final = "previous"
CANDIDATE_ALIAS: Final = "candidate"

RECOGNISER_TAG: Final = "recogniser_sha256"
TEST_SPLIT_TAG: Final = "test_split_sha256"
"""Digest of the samples that a model was tested on: `bukva.core.samples.digest_test_split`."""

RECOGNISER_FILE: Final = "recogniser.onnx"
"""How the file of a recogniser is called where it is logged, and looked for."""

RECOGNISER_PATH: Final = f"artifacts/{RECOGNISER_FILE}"
"""Where it is within a packaged model: the network with its specification, and no code."""

FOLDER: Final = "dossier"
"""Within the packaged model."""

GOLDEN: Final = "golden_samples.json"
"""A list of `{"image": base64, "symbol": str or null, "confidence": float or null}`."""

REFERENCE: Final = "reference.json"
"""How validation samples are spread, by measure: `bukva.tasks.glyph.reference`."""

RESULTS: Final = "results.json"
"""Flat keys of `evaluation`: accuracies, their 95 % intervals and counts."""

PARAMETERS: Final = "parameters.json"
"""Groups of the parameters that it was made with, by name."""

CARD: Final = "card.md"
"""The model card, for people."""

FIGURE_SUFFIX: Final = ".png"
"""Any other file is a figure, called by what it shows: `label_confusion.png`."""


DIGEST_TAG: Final = "files_sha256"
SIGNATURE_TAG: Final = "files_signature"
"""Tags of a registered version."""

BY_MLFLOW: Final = "registered_model_meta"
"""A file that MLflow writes into a model when somebody reads it: no part of what was sealed."""

_PEM_BLOCK: Final = re.compile(rb"-----BEGIN PUBLIC KEY-----.+?-----END PUBLIC KEY-----\n?", re.S)


def digest_folder(folder: Path) -> str:
    """Return the sha256, in hex, of the paths and contents of all files below a folder.

    `BY_MLFLOW` is left out.

    Raises:
        SealError: If something there is neither a file nor a folder, such as a link.
    """
    lines = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise SealError(f"Expected files and folders in a packaged model, got another: {name}.")
        if path.is_file() and name != BY_MLFLOW:
            lines.append(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {name}\n")
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def sign(name: str, digest: str, key_file: Path) -> str:
    """Return the signature, in base64, that the files with a digest are a model of this name.

    Args:
        name: Of the registered model, so that a signature is good for no other.
        digest: As `digest_folder` returns it.
        key_file: A private key.

    Raises:
        SealError: If the key cannot be read.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(key_file.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise SealError(f"Expected a private key without a password: {key_file}.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise SealError(f"Expected an Ed25519 key, got another kind: {key_file}.")
    return base64.b64encode(key.sign(_statement(name, digest))).decode("ascii")


def check_signature(name: str, digest: str, signature: str, keys_file: Path) -> None:
    """Return if one of the public keys in a file has made a signature.

    Raises:
        SealError: If none has, or the file holds none.
    """
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        signed = base64.b64decode(signature, validate=True)
        keys = [load_pem_public_key(block) for block in _PEM_BLOCK.findall(keys_file.read_bytes())]
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise SealError(f"Expected a signature, and public keys in {keys_file}.") from error
    for key in keys:
        try:
            if isinstance(key, Ed25519PublicKey):
                return key.verify(signed, _statement(name, digest))
        except InvalidSignature:
            continue
    raise SealError(f"Expected a signature by one of the {len(keys)} keys in {keys_file}.")


def _statement(name: str, digest: str) -> bytes:
    return f"bukva model\n{name}\n{digest}\n".encode()


_LOCAL_SCHEMES: Final = ("", "file")


def locate_files(recorded: str, tracking_uri: str) -> str:
    """Return where files that were recorded at an address lie, for a project that was moved.

    With an SQLite file as its registry, the folder of that file goes where the project goes: what
    lies below it, as it lay below the folder of before, is the project's own. A copy of a project
    thus reads its own files and not those of the original.

    Args:
        recorded: An address as MLflow knows it: a path, `file://`, `s3://`, ...
        tracking_uri: Of the registry that it is recorded in.

    Returns:
        The address itself where nothing speaks for another.
    """
    path, database = local_path(recorded), sqlite_path(tracking_uri)
    if path is None or database is None or path.is_relative_to(database.parent):
        return recorded
    # The longest ending first: the fewer folders have changed, the surer it is the same.
    for start in range(1, len(path.parts)):
        own = database.parent.joinpath(*path.parts[start:])
        if own.exists():
            return str(own)
    return recorded


def local_path(address: str) -> Path | None:
    """Return the path that an address of local files means, None for any other address."""
    parts = urlsplit(address)
    if parts.scheme not in _LOCAL_SCHEMES:
        return None
    return Path(unquote(parts.path) if parts.scheme else address)


def sqlite_path(tracking_uri: str) -> Path | None:
    """Return the file of an SQLite registry, None for a registry of another kind."""
    scheme, _, path = tracking_uri.partition(":///")
    if scheme.split("+")[0] != "sqlite" or path == ":memory:":
        return None
    return Path(path.partition("?")[0]).absolute()
