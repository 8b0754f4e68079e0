import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from signing_keys import make_keys, write_keys

from bukva.errors import SealError
from bukva.registry.package_files import check_signature, digest_folder, sign

DIGEST = "ab" * 32


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "code").mkdir(parents=True)
    (folder / "MLmodel").write_bytes(b"flavors: {}")
    (folder / "code" / "a.py").write_bytes(b"a = 1")
    return folder


def test_the_digest_is_the_same_wherever_the_files_lie(model: Path, tmp_path: Path) -> None:
    before = digest_folder(model)
    assert len(before) == 64
    assert digest_folder(model.rename(tmp_path / "elsewhere")) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda model: (model / "code" / "a.py").write_bytes(b"a = 2"),
        lambda model: (model / "MLmodel").write_bytes(b"flavors: {"),
        lambda model: (model / "extra").write_bytes(b""),
        lambda model: (model / "MLmodel").unlink(),
        lambda model: (model / "MLmodel").rename(model / "code" / "MLmodel"),
    ],
    ids=["changed", "cut", "added", "removed", "moved"],
)
def test_any_change_changes_the_digest(model: Path, change) -> None:
    before = digest_folder(model)
    change(model)
    assert digest_folder(model) != before


def test_what_mlflow_adds_by_reading_changes_nothing(model: Path) -> None:
    before = digest_folder(model)
    (model / "registered_model_meta").write_bytes(b"model_name: glyph")
    assert digest_folder(model) == before


def test_a_link_is_refused(model: Path) -> None:
    (model / "link").symlink_to("/etc/hostname")
    with pytest.raises(SealError, match="got another: link"):
        digest_folder(model)


def test_a_signature_is_known_by_its_key(tmp_path: Path) -> None:
    private, public = make_keys(tmp_path)
    check_signature("glyph", DIGEST, sign("glyph", DIGEST, private), public)


def test_any_of_several_keys_will_do(tmp_path: Path) -> None:
    """So that a key can be exchanged while versions signed with the former are served."""
    (old, old_public), (new, new_public) = make_keys(tmp_path, "old"), make_keys(tmp_path, "new")
    both = tmp_path / "trusted.pem"
    both.write_bytes(old_public.read_bytes() + new_public.read_bytes())
    for key in (old, new):
        check_signature("glyph", DIGEST, sign("glyph", DIGEST, key), both)


@pytest.mark.parametrize(("name", "digest"), [("glyph", "cd" * 32), ("line", DIGEST)])
def test_a_signature_is_of_one_model(tmp_path: Path, name: str, digest: str) -> None:
    private, public = make_keys(tmp_path)
    with pytest.raises(SealError, match="by one of the 1 keys"):
        check_signature(name, digest, sign("glyph", DIGEST, private), public)


def test_a_stranger_is_not_trusted(tmp_path: Path) -> None:
    (stranger, _), (_, public) = make_keys(tmp_path, "stranger"), make_keys(tmp_path)
    with pytest.raises(SealError, match="by one of the 1 keys"):
        check_signature("glyph", DIGEST, sign("glyph", DIGEST, stranger), public)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(signature=st.text(max_size=100))
def test_no_text_is_a_signature(tmp_path_factory, signature: str) -> None:
    folder = tmp_path_factory.getbasetemp() / "text_keys"
    if not folder.exists():
        folder.mkdir()
        make_keys(folder)
    with pytest.raises(SealError):
        check_signature("glyph", DIGEST, signature, folder / "signing.pub.pem")


def test_keys_of_another_kind_are_refused(tmp_path: Path) -> None:
    rsa, rsa_public = write_keys(generate_private_key(65537, 2048), tmp_path, "rsa")
    with pytest.raises(SealError, match="another kind"):
        sign("glyph", DIGEST, rsa)
    private, _ = make_keys(tmp_path)
    with pytest.raises(SealError, match="by one of the 1 keys"):
        check_signature("glyph", DIGEST, sign("glyph", DIGEST, private), rsa_public)


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs the command openssl")
def test_keys_as_the_docs_make_them(tmp_path: Path) -> None:
    private, public = tmp_path / "signing.pem", tmp_path / "trusted.pem"
    for command in (
        ["genpkey", "-algorithm", "ed25519", "-out", private],
        ["pkey", "-in", private, "-pubout", "-out", public],
    ):
        subprocess.run(["openssl", *command], check=True, capture_output=True)
    check_signature("glyph", DIGEST, sign("glyph", DIGEST, private), public)


@pytest.mark.parametrize("content", [b"", b"no key"])
def test_a_file_without_keys_trusts_nobody(tmp_path: Path, content: bytes) -> None:
    private, _ = make_keys(tmp_path)
    keys = tmp_path / "trusted.pem"
    keys.write_bytes(content)
    with pytest.raises(SealError, match="0 keys"):
        check_signature("glyph", DIGEST, sign("glyph", DIGEST, private), keys)
