import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from bukva.__main__ import bukva
from bukva.errors import CorpusError

MANIFEST = f"--manifest={Path(__file__).parents[2] / 'conf' / 'base' / 'corpora.yml'}"


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys; sys.argv = ['bukva', 'corpora', 'fetch', '--help']\n"
        "from bukva.__main__ import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print('loaded:', sorted({'numpy', 'kedro', 'torch', 'fsspec'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert "--from" in done.stdout
    assert "loaded: []" in done.stdout


def test_an_error_is_one_message_and_exit_code_1(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bukva", "corpora", "list"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1
    assert "conf/base/corpora.yml" in done.stderr
    assert "project's root" in done.stderr


def test_list_says_what_is_present(tmp_path: Path) -> None:
    (tmp_path / "rukopys").mkdir()
    (tmp_path / "rukopys" / "dev.zip").touch()
    done = CliRunner().invoke(bukva, ["corpora", "list", f"--in={tmp_path}", MANIFEST])
    lines = {line.split()[0]: line for line in done.output.splitlines()}
    assert "1/2 files" in lines["rukopys"]
    assert "4.4 MB" in lines["rukopys"]
    assert "0/1 files" in lines["comnist"]
    assert "CC BY-SA 4.0" in lines["comnist"]


def test_only_the_named_corpora_are_fetched(tmp_path: Path) -> None:
    source = f"--from={tmp_path / 'mirror'}"
    arguments = ["corpora", "fetch", source, f"--to={tmp_path / 'raw'}", MANIFEST]
    done = CliRunner().invoke(bukva, [*arguments, "comnist"])
    assert "mirror/comnist/Cyrillic.zip" in str(done.exception)


def test_an_unknown_corpus_is_refused(tmp_path: Path) -> None:
    done = CliRunner().invoke(bukva, ["corpora", "fetch", MANIFEST, "mnits"])
    assert isinstance(done.exception, CorpusError)
    with pytest.raises(CorpusError, match=r"\['mnits'\]"):
        raise done.exception
