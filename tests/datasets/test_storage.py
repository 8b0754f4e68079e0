"""On local disk a file is the former one or the new one, whatever becomes of the save."""

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from kedro.io import DatasetError

from bukva.datasets.files import ArrayDataset, CSVDataset, JSONDataset, ParquetDataset, YAMLDataset
from bukva.datasets.storage import Files, tidy
from bukva.datasets.tracked import TrackedFigureDataset

PROLOGUE = """
import sys
from bukva.datasets.files import JSONDataset
dataset = JSONDataset(filepath=sys.argv[1])
"""


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class Unserialisable:
    """What neither JSON nor CSV can hold."""

    def __str__(self) -> str:
        raise ValueError("no text")


def test_json_that_fails_in_the_middle_leaves_the_previous_file(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "results.json"
    dataset = JSONDataset(filepath=str(path))
    dataset.save({"mnist.accuracy": 0.99})
    with pytest.raises(DatasetError, match=str(path)) as caught:
        dataset.save({"first": 1, "then": Unserialisable()})
    assert ".tmp" not in str(caught.value)
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


def test_arrays_and_figures_are_saved(tmp_path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure()
    figure.subplots().plot([1, 2])
    TrackedFigureDataset(filepath=str(tmp_path / "curve.png")).save(figure)
    ArrayDataset(filepath=str(tmp_path / "a.npy")).save(np.arange(3))
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
    assert names_in(tmp_path) == ["a.npy", "curve.png"]


def test_an_argument_that_kedro_does_not_know_is_refused_before_any_run() -> None:
    with pytest.raises(TypeError, match="lode_args"):
        CSVDataset(filepath="a.csv", lode_args={})


def test_previews_are_those_of_kedro(tmp_path: Path) -> None:
    for kind, suffix, annotation in (
        (JSONDataset, "json", "JSONPreview"),
        (YAMLDataset, "yml", "JSONPreview"),
        (CSVDataset, "csv", "TablePreview"),
        (ParquetDataset, "parquet", "TablePreview"),
    ):
        dataset = kind(filepath=str(tmp_path / f"a.{suffix}"))
        is_table = annotation == "TablePreview"
        dataset.save(pd.DataFrame({"a": range(9)}) if is_table else {"a": 1})
        # kedro-viz looks for this name.
        assert kind.preview.__annotations__["return"].__name__ == annotation
        shown = dataset.preview()
        assert len(shown["data"]) == 5 if is_table else shown == '{"a": 1}'


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


def _wait_until_writing(folder: Path, timeout_s: float = 60.0) -> None:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if any(path.stat().st_size > 100_000 for path in folder.glob(".*.tmp")):
            return
        time.sleep(0.01)
    raise TimeoutError("The save did not begin.")


def test_nothing_is_seen_before_the_block_ends_and_the_last_writer_wins(tmp_path: Path) -> None:
    files, path = Files(str(tmp_path)), tmp_path / "a"
    with files.saving("a") as first:
        first.write_bytes(b"first")
        assert not path.exists()
        files.write(b"second", "a")
        assert path.read_bytes() == b"second"
        # It is young: its writer may live.
        assert first.exists()
    assert path.read_bytes() == b"first"
    assert names_in(tmp_path) == ["a"]


def test_rights_and_links_are_kept(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"old")
    target.chmod(0o640)
    link.symlink_to(target)
    Files(str(link)).write(b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_a_new_file_has_the_rights_of_any_other(tmp_path: Path) -> None:
    Files(str(tmp_path)).write(b"", "whole")
    (tmp_path / "plain").touch()
    assert (tmp_path / "whole").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_device_is_written_to_and_not_replaced() -> None:
    Files(os.devnull).write(b"gone")
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)  # noqa: PTH116 - a device, not a file


@pytest.mark.parametrize("folder", ["data [mine]", "a*", "ґ é"])
def test_names_are_no_patterns(folder: str, tmp_path: Path) -> None:
    files = Files(str(tmp_path / folder))
    assert files.names() == []
    for name in ("b[1].json", "b1.json"):
        files.write(name.encode(), name)
    assert files.names() == ["b1.json", "b[1].json"]
    paths = [files.locate(name) for name in ("b[1].json", "none")]
    found = files.read_all(paths)
    assert found[paths[0]] == b"b[1].json"
    assert isinstance(found[paths[1]], FileNotFoundError)
    files.remove("b[1].json")
    files.remove("b[1].json")
    assert files.names() == ["b1.json"]


def test_other_stores_that_fsspec_knows_are_read_and_written() -> None:
    files = Files("memory://a")
    files.write(b"whole", "b")
    with files.fetched("b") as path:
        assert path.read_bytes() == files.read("b") == b"whole"


@pytest.mark.parametrize(
    ("given", "tidied"),
    [
        ("s3://b/top/", "s3://b/top"),
        ("s3://b//top//a/", "s3://b/top/a"),
        ("data/", "data"),
        ("/", "/"),
        ("/a//b", "/a/b"),
        ("https://h/a/?from=x", "https://h/a/?from=x"),
    ],
)
def test_an_address_ends_as_templates_need_it(given: str, tidied: str) -> None:
    assert tidy(given) == tidied
