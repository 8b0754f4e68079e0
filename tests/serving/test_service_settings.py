import os
import subprocess
import sys
from pathlib import Path

import pytest

from bukva.errors import ParameterError
from bukva.serving.settings import Settings, describe_settings, read_settings

TOOLS = Path(__file__).parents[2] / "tools"


def test_environment_is_read(monkeypatch):
    monkeypatch.setenv("BUKVA_PORT", "8123")
    monkeypatch.setenv("BUKVA_DEADLINE_S", "0.5")
    settings = read_settings()
    assert (settings.port, settings.deadline_s) == (8123, 0.5)


def test_all_bad_settings_are_named_at_once(monkeypatch):
    monkeypatch.setenv("BUKVA_PORT", "70000")
    monkeypatch.setenv("BUKVA_TOP_K", "many")
    monkeypatch.setenv("BUKVA_HOST", "")
    with pytest.raises(ParameterError) as caught:
        read_settings()
    for name in ("BUKVA_PORT='70000'", "BUKVA_TOP_K='many'", "BUKVA_HOST=''"):
        assert name in str(caught.value)


def test_every_setting_is_described():
    assert all(field.description for field in Settings.model_fields.values())
    lines = describe_settings().splitlines()
    assert len(lines) == len(Settings.model_fields)


def test_lists_are_written_with_commas(monkeypatch):
    monkeypatch.setenv("BUKVA_API_KEY_HASHES", f"school:{'0' * 64}, {'1' * 64},")
    monkeypatch.setenv("BUKVA_TRUSTED_PROXIES", "192.0.2.1,10.0.0.0/8")
    monkeypatch.setenv("BUKVA_CORS_ORIGINS", "")
    settings = read_settings()
    assert settings.api_key_hashes == (f"school:{'0' * 64}", "1" * 64)
    assert [str(network) for network in settings.trusted_proxies] == ["192.0.2.1/32", "10.0.0.0/8"]
    assert settings.cors_origins == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BUKVA_CORS_ORIGINS", "*"),
        ("BUKVA_CORS_ORIGINS", "null"),
        ("BUKVA_CORS_ORIGINS", "https://school.example/"),
        ("BUKVA_TRUSTED_PROXIES", "my-proxy"),
        ("BUKVA_API_KEY_HASHES", "0" * 63),
    ],
)
def test_a_list_with_a_wrong_item_is_refused(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(ParameterError, match=name):
        read_settings()


def test_the_table_of_the_docs_is_that_of_the_class():
    """Else: .venv/bin/python tools/write_settings_table.py."""
    sys.path.insert(0, str(TOOLS))
    try:
        from write_settings_table import PAGE, with_table
    finally:
        sys.path.pop(0)
    text = PAGE.read_text(encoding="utf-8")
    assert text == with_table(text)
    assert all(f"`BUKVA_{name.upper()}`" in text for name in Settings.model_fields)


def run_main(*arguments, **environment):
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("BUKVA_")}
    return subprocess.run(
        [sys.executable, "-m", "bukva.serving", *arguments],
        env=inherited | environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_help_shows_the_settings():
    finished = run_main("--help")
    assert finished.returncode == 0
    assert describe_settings() in finished.stdout


def test_bad_setting_ends_the_start():
    finished = run_main(BUKVA_PORT="x")
    assert finished.returncode == 2
    assert "BUKVA_PORT='x'" in finished.stderr
    assert "Traceback" not in finished.stderr


@pytest.mark.parametrize("url", ["", "s3://bucket", "s3://bucket/feedback", "/srv/feedback"])
def test_corrections_go_to_a_bucket_or_a_folder(url):
    assert Settings(feedback_url=url).feedback_url == url


@pytest.mark.parametrize("url", ["s3:/bucket", "s3://", "https://bucket", "file:///srv"])
def test_corrections_go_nowhere_else(monkeypatch, url):
    monkeypatch.setenv("BUKVA_FEEDBACK_URL", url)
    with pytest.raises(ParameterError, match="BUKVA_FEEDBACK_URL"):
        read_settings()
