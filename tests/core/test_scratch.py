"""Arrays in temporary files behave as arrays do."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bukva.core import scratch
from bukva.core.scratch import Scratch, join_rows, take_rows

HELPERS = Path(__file__).parents[1] / "helpers"


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(scratch, "BLOCK_ROWS", 4)


def numbered(count):
    return np.arange(count * 6, dtype=np.uint8).reshape(count, 2, 3)


def test_blocks_and_single_rows_become_one_array():
    rows, all_rows = Scratch((2, 3)), numbered(11)
    rows.append(all_rows[:5])
    rows.append(all_rows[5])
    rows.append(all_rows[6:][::-1][::-1])
    np.testing.assert_array_equal(rows.to_array(), all_rows)


def test_nothing_becomes_an_array_without_rows():
    assert Scratch((2, 3)).to_array().shape == (0, 2, 3)


def test_what_is_changed_in_an_array_stays_there():
    rows = Scratch((2, 3))
    rows.append(numbered(3))
    changed, other = rows.to_array(), rows.to_array()
    changed[1] = 0
    np.testing.assert_array_equal(other, numbered(3))


@pytest.mark.parametrize("chosen", [[], [3], [9, 0, 0, 5, 7, 8], range(10)])
def test_rows_are_taken_as_numpy_takes_them(chosen):
    rows_M, array = np.array(chosen, dtype=np.int64), numbered(10)
    np.testing.assert_array_equal(take_rows(array, rows_M), array[rows_M])
    is_chosen_N = np.isin(np.arange(10), rows_M)
    np.testing.assert_array_equal(take_rows(array, is_chosen_N), array[is_chosen_N])


def test_rows_are_joined_as_numpy_joins_them():
    parts = [numbered(5), numbered(0), numbered(9)]
    np.testing.assert_array_equal(join_rows(parts), np.concatenate(parts))


@pytest.mark.parametrize("what", ["images", "table"])
def test_a_full_disk_is_named_and_what_helps(what, tmp_path):
    done = subprocess.run(
        [sys.executable, (HELPERS / "fill_disk.py"), what],
        env=os.environ | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"StorageError: Expected room for temporary files in {tmp_path}, got: " in done.stderr
    assert "TMPDIR" in done.stderr
    assert not list(tmp_path.iterdir())
