import subprocess
import sys

import pytest

from bukva.errors import ParameterError
from bukva.serving.settings import Settings, describe_settings, read_settings


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


def run_main(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "bukva.serving", *arguments],
        env=environment,
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
