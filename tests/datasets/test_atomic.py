import io
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pandas as pd
import pytest
from fsspec.registry import _registry
from kedro.io import DatasetError
from kedro_datasets.json import JSONDataset
from kedro_datasets.matplotlib import MatplotlibDataset
from kedro_datasets.pandas import CSVDataset, ParquetDataset

from bukva.datasets.atomic import AtomicLocalFileSystem, AtomicWriter, install_atomic_saves

PROLOGUE = """
import sys
from kedro_datasets.json import JSONDataset
from bukva.datasets.atomic import install_atomic_saves
install_atomic_saves()
dataset = JSONDataset(filepath=sys.argv[1])
"""


@pytest.fixture(autouse=True)
def atomic_saves() -> Iterator[None]:
    before = {key: _registry[key] for key in ("file", "local") if key in _registry}
    install_atomic_saves()
    yield
    for key in ("file", "local"):
        _registry.pop(key, None)
    _registry.update(before)


@pytest.fixture
def fs() -> Any:
    return fsspec.filesystem("file", auto_mkdir=True)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class Unserialisable:
    """What neither JSON nor CSV can hold."""

    def __str__(self) -> str:
        raise ValueError("no text")


def test_every_local_protocol_is_atomic() -> None:
    for address in ("x.json", "file://x.json", "local://x.json"):
        assert isinstance(fsspec.core.url_to_fs(address)[0], AtomicLocalFileSystem)


def test_json_that_fails_in_the_middle_leaves_the_previous_file(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "results.json"
    dataset = JSONDataset(filepath=str(path))
    dataset.save({"mnist.accuracy": 0.99})
    with pytest.raises(DatasetError):
        dataset.save({"first": 1, "then": Unserialisable()})
    assert dataset.load() == {"mnist.accuracy": 0.99}
    assert names_in(path.parent) == ["results.json"]


def test_a_first_save_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(DatasetError):
        JSONDataset(filepath=str(tmp_path / "results.json")).save({"then": Unserialisable()})
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("kind", [ParquetDataset, CSVDataset])
def test_tables_that_fail_leave_the_previous_file(kind: Any, tmp_path: Path) -> None:
    dataset = kind(filepath=str(tmp_path / "table"), save_args={"index": False})
    good = pd.DataFrame({"label": ["а", "ґ"], "count": [1, 2]})
    dataset.save(good)
    with pytest.raises(DatasetError):
        dataset.save(pd.DataFrame({"bad": [1, Unserialisable()]}, dtype=object))
    pd.testing.assert_frame_equal(dataset.load().astype(good.dtypes), good)
    assert names_in(tmp_path) == ["table"]


def test_figures_are_saved(tmp_path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure()
    figure.subplots().plot([1, 2])
    MatplotlibDataset(filepath=str(tmp_path / "curve.png")).save(figure)
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
    assert names_in(tmp_path) == ["curve.png"]


def test_a_disk_that_fills_up_leaves_the_previous_file(tmp_path: Path) -> None:
    """The limit on a file's size stands for the full disk: a write fails for real (EFBIG)."""
    script = PROLOGUE + (
        "import resource\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "dataset.save(list(range(100_000)))\n"
    )
    path = tmp_path / "results.json"
    path.write_text("[1]", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "File too large" in done.stderr
    assert path.read_text(encoding="utf-8") == "[1]"
    assert names_in(tmp_path) == ["results.json"]


def test_a_kill_in_mid_save_leaves_the_previous_file(tmp_path: Path) -> None:
    script = PROLOGUE + (
        "import time\n"
        "class Slow(list):\n"
        "    def __iter__(self):\n"
        "        yield from ['x' * 1000] * 200\n"
        "        time.sleep(60)\n"
        "dataset.save(Slow([1]))\n"
    )
    path = tmp_path / "results.json"
    path.write_text("[1]", encoding="utf-8")
    with subprocess.Popen([sys.executable, "-c", script, str(path)]) as process:
        try:
            _wait_until_writing(tmp_path)
        finally:
            process.kill()
    assert process.returncode == -signal.SIGKILL
    assert path.read_text(encoding="utf-8") == "[1]"
    left = [name for name in names_in(tmp_path) if name != "results.json"]
    assert len(left) == 1
    assert left[0].startswith(".results.json.")

    an_hour_ago = time.time() - 3601
    os.utime(tmp_path / left[0], (an_hour_ago, an_hour_ago))
    JSONDataset(filepath=str(path)).save([2])
    assert names_in(tmp_path) == ["results.json"]


def _wait_until_writing(folder: Path, timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if any(path.stat().st_size > 100_000 for path in folder.glob(".*.tmp")):
            return
        time.sleep(0.01)
    raise TimeoutError("The save did not begin.")


def test_a_young_temporary_file_of_another_writer_stays(fs: Any, tmp_path: Path) -> None:
    first = AtomicWriter(str(tmp_path / "a"))
    first.write(b"first")
    with fs.open(str(tmp_path / "a"), "wb") as second:
        second.write(b"second")
    first.close()
    assert (tmp_path / "a").read_bytes() == b"first"
    assert names_in(tmp_path) == ["a"]


def test_nothing_is_seen_before_the_block_ends(fs: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with fs.open(str(path), "w", encoding="utf-8", newline="") as file:
        file.write("ґ\r\n")
        file.flush()
        assert not path.exists()
    assert path.read_bytes() == "ґ\r\n".encode()


def test_a_file_that_is_dropped_unclosed_is_discarded(fs: Any, tmp_path: Path) -> None:
    for mode, content in (("wb", b"half"), ("w", "half")):
        file = fs.open(str(tmp_path / "a"), mode)
        file.write(content)
        del file
    assert names_in(tmp_path) == []


def test_a_file_that_is_closed_without_a_block_is_saved(fs: Any, tmp_path: Path) -> None:
    file = fs.open(str(tmp_path / "a"), "wb")
    file.write(b"whole")
    file.close()
    file.close()
    assert (tmp_path / "a").read_bytes() == b"whole"


def test_after_a_write_that_failed_nothing_can_be_saved(fs: Any, tmp_path: Path) -> None:
    file = fs.open(str(tmp_path / "a"), "wb")
    with pytest.raises(TypeError):
        file.write("text")
    with pytest.raises(ValueError, match="closed"):
        file.write(b"rest")
    file.close()
    assert names_in(tmp_path) == []


def test_rights_and_links_are_kept(fs: Any, tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"old")
    target.chmod(0o640)
    link.symlink_to(target)
    with fs.open(str(link), "wb") as file:
        file.write(b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_a_new_file_has_the_rights_of_any_other(fs: Any, tmp_path: Path) -> None:
    with fs.open(str(tmp_path / "atomic"), "wb"):
        pass
    (tmp_path / "plain").touch()
    assert (tmp_path / "atomic").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_other_modes_work_as_they_always_do(fs: Any, tmp_path: Path) -> None:
    path = str(tmp_path / "a.txt")
    with fs.open(path, "a") as file:
        file.write("one")
    with fs.open(path, "a") as file:
        file.write(" two")
    with fs.open(path, "r+b") as file:
        file.write(b"ONE")
    with fs.open(path, "r") as file:
        assert file.read() == "ONE two"
    with fs.open(path, "wb", compression="gzip") as file:
        file.write(b"packed")
    with fs.open(path, "rb", compression="gzip") as file:
        assert file.read() == b"packed"
    with fs.open(os.devnull, "wb") as file:
        file.write(b"gone")
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)  # noqa: PTH116 - a device, not a file
    assert names_in(tmp_path) == ["a.txt"]


def test_a_folder_that_is_missing_is_an_ordinary_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        fsspec.filesystem("file").open(str(tmp_path / "no" / "a"), "wb")


def test_a_writer_is_an_ordinary_binary_file(fs: Any, tmp_path: Path) -> None:
    with fs.open(str(tmp_path / "a"), "wb") as file:
        assert isinstance(file, io.BufferedIOBase)
        file.write(b"0123456789")
        file.seek(2)
        file.write(b"xx")
        assert file.tell() == 4
    assert (tmp_path / "a").read_bytes() == b"01xx456789"
