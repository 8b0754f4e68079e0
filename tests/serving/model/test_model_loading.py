"""A version is read only after its files were found to be those that were sealed."""

import base64
import os
import pickle
import shutil
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from packaged_models import add_dossier, files_of, register, seal
from PIL import Image
from serving_requests import draw, encode
from serving_servers import tracking_restored
from signing_keys import make_keys

from bukva.errors import ModelError, SealError
from bukva.registry.package_files import DIGEST_TAG, RECOGNISER_PATH
from bukva.serving.glyph_model import GlyphModel
from bukva.serving.model_source import load_model
from bukva.serving.settings import Settings
from bukva.serving.versions import ModelCache, find_version
from bukva.tasks.glyph.charset import CLASSES, LABELS

NAME = "bukva-sealed"
PAGE = encode(draw())


@pytest.fixture
def settings(registry: str, tmp_path: Path):
    """Settings for a model of the test's own, in a cache of its own."""
    with tracking_restored():
        mlflow.set_tracking_uri(registry)
        yield Settings(tracking_uri=registry, model_name=NAME, model_cache=tmp_path / "cache")
        MlflowClient().delete_registered_model(NAME)


def make_version(**differences: object) -> str:
    return register(NAME, mlflow.get_experiment_by_name("serving").experiment_id, **differences)


def load(settings: Settings):
    return load_model(find_version(settings), settings, ModelCache(settings), GlyphModel)


def trusting(settings: Settings, keys: Path) -> Settings:
    return settings.model_copy(update={"trusted_keys": keys})


def cached(settings: Settings) -> list[str]:
    return sorted(path.name for path in settings.model_cache.iterdir() if path.is_dir())


def test_a_sealed_version_is_loaded_and_kept(settings):
    digest = seal(NAME, make_version())
    model = load(settings)
    assert (model.digest, model.is_signed) == (digest, False)
    assert model.predict([PAGE])[0].failure is None
    assert cached(settings) == [digest]


def test_where_nobody_has_to_sign_an_unsealed_version_is_served(settings):
    make_version()
    assert len(load(settings).digest) == 64


CHANGES = {
    "flipped": lambda files: (files / RECOGNISER_PATH).write_bytes(
        (files / RECOGNISER_PATH).read_bytes().replace(b"0.5", b"0.6")
    ),
    "cut": lambda files: os.truncate(files / RECOGNISER_PATH, 100),
    "added": lambda files: (files / "sitecustomize.py").write_text("raise SystemExit"),
    "removed": lambda files: (files / "python_model.pkl").unlink(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_changed_files_are_not_even_read(settings, change):
    version = make_version()
    seal(NAME, version)
    CHANGES[change](files_of(NAME, version))
    with pytest.raises(SealError, match="files with the digest"):
        load(settings)
    assert not settings.model_cache.exists()


def test_no_code_of_a_sound_version_is_run(settings, tmp_path):
    canary = tmp_path / "canary"
    version = make_version(canary=str(canary))
    seal(NAME, version)
    assert load(settings).predict([PAGE])[0].failure is None
    assert not canary.exists()
    pickle.loads((files_of(NAME, version) / "python_model.pkl").read_bytes())
    assert canary.exists(), "the canary sings where it is unpickled"


def test_a_version_without_a_recogniser_is_refused(settings):
    version = make_version()
    (files_of(NAME, version) / RECOGNISER_PATH).unlink()
    with pytest.raises(ModelError, match=RECOGNISER_PATH):
        load(settings)


@pytest.mark.parametrize("labels", [LABELS, CLASSES])
def test_a_version_from_before_refusal_refuses_nothing(settings, labels):
    make_version(labels=labels)
    blot = Image.new("L", (64, 64), 255)
    blot.paste(20, (16, 16, 48, 48))
    reading = load(settings).predict([encode(blot)])[0].reading
    assert reading.is_symbol == (labels == LABELS)
    assert (reading.symbol_confidence > 0.99) == (labels == LABELS)


@pytest.mark.parametrize("target", ["/etc/hostname", "MLmodel"])
def test_a_link_among_the_files_is_refused(settings, target):
    version = make_version()
    seal(NAME, version)
    (files_of(NAME, version) / "link").symlink_to(target)
    with pytest.raises((SealError, MlflowException)):
        load(settings)


@pytest.mark.parametrize("digest", ["../../elsewhere", "ab", "G" * 64])
def test_a_digest_that_is_none_is_refused(settings, digest):
    version = make_version()
    MlflowClient().set_model_version_tag(NAME, version, DIGEST_TAG, digest)
    with pytest.raises(SealError, match="another text"):
        load(settings)


def test_a_signed_version_is_trusted(settings, tmp_path):
    private, public = make_keys(tmp_path)
    seal(NAME, make_version(), private)
    assert load(trusting(settings, public)).is_signed


@pytest.mark.parametrize("how", ["unsealed", "unsigned", "by a stranger", "then changed"])
def test_what_nobody_trusted_signed_is_not_even_read(settings, tmp_path, how):
    (private, public), (stranger, _) = make_keys(tmp_path), make_keys(tmp_path, "stranger")
    version = make_version()
    if how != "unsealed":
        seal(NAME, version, {"unsigned": None, "by a stranger": stranger}.get(how, private))
    if how == "then changed":
        # By somebody who can write to the registry too, but has no key.
        CHANGES["flipped"](files_of(NAME, version))
        seal(NAME, version)
    with pytest.raises(SealError):
        load(trusting(settings, public))
    assert not settings.model_cache.exists()


def golden(**changes: object) -> dict[str, object]:
    image = base64.b64encode(PAGE).decode()
    return {"golden_samples.json": [{"image": image, **changes}]}


@pytest.fixture
def answer(settings):
    make_version()
    return load(settings).predict([PAGE])[0].reading


@pytest.mark.parametrize("change", [{"symbol": "Ґ"}, {"confidence": 0.123}, {"symbol": None}])
def test_a_version_that_answers_otherwise_than_once_is_refused(settings, answer, change):
    sound = {"symbol": answer.symbol, "confidence": answer.confidence}
    make_version(dossier=golden(**sound))
    load(settings)
    make_version(dossier=golden(**{**sound, **change}))
    with pytest.raises(ModelError, match="golden sample"):
        load(settings)


def test_a_version_that_is_too_slow_is_refused(settings):
    make_version(delay_s=0.3)
    with pytest.raises(ModelError, match=r"an answer within 0\.1 s"):
        load(settings.model_copy(update={"deadline_s": 0.1}))


@pytest.mark.parametrize("name", ["results.json", "golden_samples.json", "card.md"])
def test_a_dossier_that_cannot_be_read_is_refused(settings, name):
    make_version(dossier={name: b"\xff{"})
    with pytest.raises(ModelError, match="dossier"):
        load(settings)


def test_what_is_cached_is_not_fetched_again_unless_it_is_damaged(settings):
    version = make_version()
    digest = seal(NAME, version)
    load(settings)
    store = files_of(NAME, version)
    shutil.move(store, store.with_name("away"))
    assert load(settings).digest == digest
    (settings.model_cache / digest / "MLmodel").write_text("flavors: {}")
    shutil.move(store.with_name("away"), store)
    assert load(settings).digest == digest
    assert (settings.model_cache / digest / "MLmodel").read_bytes() == (
        store / "MLmodel"
    ).read_bytes()


def test_three_versions_are_kept(settings):
    digests = []
    for place in range(4):
        version = make_version(temperature=1 + place / 10)
        digests.append(seal(NAME, version))
        load(settings)
        os.utime(settings.model_cache / digests[-1], (place, place))
    assert cached(settings) == sorted(digests[1:])


def test_a_cache_that_cannot_be_written_costs_nothing_else(settings, tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    seal(NAME, make_version())
    assert load(settings).predict([PAGE])[0].failure is None


def test_the_dossier_is_read(settings):
    info = make_version(dossier={"results.json": {"all.label_accuracy": 0.9}, "a.png": b"figure"})
    model_id = MlflowClient().get_model_version(NAME, info).source.removeprefix("models:/")
    add_dossier(model_id, {"card.md": "# Картка".encode()})
    dossier = load(settings).dossier
    assert dossier.results == {"all.label_accuracy": 0.9}
    assert dossier.card == "# Картка"
    assert dossier.figures == {"a": b"figure"}
