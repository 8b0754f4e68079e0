"""A run that is killed while it saves leaves whole files, and the next run ends as if it was not.

Two saves of one node; `benchmarks/storage_faults.py` does the same in each save of each node.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from clean_forks import clean_forks
from fault_proxy import Fault, FaultProxy, run_proxy
from killed_saves import Place, read_files, run_and_die, run_nodes, write_files
from object_store import run_store

BEFORE = ["collect_samples", "split_samples"]
NODE = "add_nonsymbols"
FORMER, NEW = 1, 2
"""Seeds."""
SAVES = ("03_primary/sample_table.parquet", "03_primary/sample_images.npy")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with run_store(tmp_path_factory.mktemp("store")) as environment:
        yield environment


@pytest.fixture(scope="module")
def proxy(store: dict[str, str]) -> Iterator[FaultProxy]:
    with run_proxy(store["AWS_ENDPOINT_URL"]) as running:
        yield running


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[int, dict[str, bytes]]:
    """What runs that nobody disturbed left, by seed."""
    places = {seed: Place(str(tmp_path_factory.mktemp("run")), {}) for seed in (FORMER, NEW)}
    for seed, place in places.items():
        run_nodes(place, [*BEFORE, NODE], seed)
    return {seed: read_files(place) for seed, place in places.items()}


@pytest.mark.parametrize(("kind", "path"), [("disk", SAVES[1]), ("S3", SAVES[0])])
def test_a_kill_in_mid_save_costs_no_file_and_changes_no_result(
    kind: str,
    path: str,
    runs: dict[int, dict[str, bytes]],
    proxy: FaultProxy,
    store: dict[str, str],
    tmp_path: Path,
) -> None:
    place = Place(str(tmp_path), {})
    if kind == "S3":
        place = Place(f"s3://bukva/{Path(path).suffix}", store | {"AWS_ENDPOINT_URL": proxy.url})
    # The nodes before have run anew, this one has not.
    write_files(place, runs[NEW] | {save: runs[FORMER][save] for save in SAVES})
    arguments = (place, [NODE], NEW)
    if kind == "S3":
        running = clean_forks().Process(target=run_nodes, args=arguments)
        fault = Fault(f"PUT .*{Path(path).name}", up_bytes=1, is_silent=True, then=running.kill)
        proxy.faults.append(fault)
    else:
        running = clean_forks().Process(target=run_and_die, args=(*arguments, path, "half"))
    running.start()
    running.join(timeout=120)
    assert running.exitcode == -9
    left = read_files(place)
    assert left[path] == runs[FORMER][path] != runs[NEW][path]
    assert all(content in (runs[FORMER][name], runs[NEW][name]) for name, content in left.items())
    run_nodes(*arguments)
    assert read_files(place) == runs[NEW]
