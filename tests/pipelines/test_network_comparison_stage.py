"""The comparison of networks, on small networks and few steps; measurements lie on disk."""

from pathlib import Path

import pandas as pd
import pytest
from kedro.io import MemoryDataset
from kedro.runner import SequentialRunner

from bukva.charset import DIGITS
from bukva.errors import NonFiniteLossError, ParameterError
from bukva.parameters import validate_parameters
from bukva.pipelines import network_comparison
from bukva.pipelines.network_comparison.measurement import COLUMNS, select_digits
from kedro_project import ENVIRONMENTS, load_catalog, load_config, storage_at
from stage_runs import Data, small_data, small_parameters

LENET = {"network": "lenet", "width": 4}
RESNET = {"network": "glyph_resnet", "width": 4}


def compare(storage: Path, *networks: Data, **training: object) -> pd.DataFrame:
    recipe = {"corpora": {"strokes": 1.0, "digits": 0.0}, "device": "cpu", **training}
    changes = {"networks": list(networks), "training": recipe}
    inputs = small_data() | small_parameters(network_comparison=changes)
    with storage_at(storage):
        catalog = load_catalog("test")
        for name, value in inputs.items():
            catalog[name] = MemoryDataset(value, copy_mode="assign")
        SequentialRunner().run(network_comparison.create_pipeline(), catalog)
        return catalog.load("network_comparison")


def kept(storage: Path) -> dict[str, bytes]:
    """The measurements on disk by network, without what decides them."""
    folder = storage / "08_reporting" / "network_comparison"
    return {path.stem[:-17]: path.read_bytes() for path in folder.glob("*.parquet")}


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("compared")


@pytest.fixture(scope="module")
def comparison(storage: Path) -> pd.DataFrame:
    return compare(storage, RESNET, LENET)


def test_each_network_has_a_row_after_the_tree(comparison: pd.DataFrame) -> None:
    assert list(comparison["name"]) == ["decision_tree", "glyph_resnet-4", "lenet-4"]
    assert list(comparison.columns) == list(COLUMNS)
    assert comparison["accuracy"].between(comparison["ci_low"], comparison["ci_high"]).all()
    assert comparison[["train_s", "latency_ms"]].gt(0).all(axis=None)


def test_sizes_are_those_of_the_networks(comparison: pd.DataFrame) -> None:
    networks = comparison[1:]
    assert networks["weights"].gt(5000).all()
    # Four bytes a weight, and the graph.
    assert (
        networks["file_bytes"].between(4 * networks["weights"], 4 * networks["weights"] + 1e5).all()
    )


def test_all_answer_for_the_same_test_digits(comparison: pd.DataFrame) -> None:
    table = small_data()["sample_table"]
    tests = table[table["split"].eq("test") & table["label"].isin(list(DIGITS))]
    assert set(comparison["test_samples"]) == {len(tests)}


def test_the_tree_reports_each_digit(comparison: pd.DataFrame, storage: Path) -> None:
    report = pd.read_csv(storage / "08_reporting" / "tree_report.csv", dtype={"label": str})
    assert list(report["label"]) == list(DIGITS)
    assert list(report.columns) == ["label", "support", "precision", "recall", "f1"]
    right = (report["recall"] * report["support"]).sum() / report["support"].sum()
    assert right == pytest.approx(comparison["accuracy"][0], abs=1e-6)
    # Drawn digits: ten labels guessed at random would be right in a tenth.
    assert right > 0.3


def test_the_figure_is_kept(comparison: pd.DataFrame, storage: Path) -> None:
    assert (storage / "08_reporting" / "network_comparison.png").stat().st_size > 10_000


def test_a_run_that_failed_goes_on_with_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(NonFiniteLossError):
        compare(tmp_path, LENET, RESNET | {"learning_rate": 1e30})
    before = kept(tmp_path)
    assert before.keys() == {"lenet-4"}
    comparison = compare(tmp_path, LENET, RESNET)
    assert list(comparison["name"][1:]) == ["lenet-4", "glyph_resnet-4"]
    # Seconds would differ if it had been trained again.
    assert kept(tmp_path)["lenet-4"] == before["lenet-4"]


def test_another_recipe_is_measured_anew(tmp_path: Path) -> None:
    accuracies = [
        compare(tmp_path, LENET, steps_per_epoch=steps)["accuracy"][1] for steps in (1, 25)
    ]
    assert accuracies[0] != accuracies[1]


def test_an_unknown_network_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="got 'vgg'"):
        compare(tmp_path, LENET, {"network": "vgg", "width": 4})
    assert kept(tmp_path) == {}


def test_no_network_sees_the_page_as_the_tree_does_not() -> None:
    data = small_data()
    digits = select_digits(data["sample_table"], data["sample_images"], {"strokes": 1.0})
    assert data["sample_table"]["rel_height"].notna().any()
    assert digits.table.filter(like="rel_").isna().all(axis=None)


@pytest.mark.parametrize("env", ENVIRONMENTS)
def test_the_images_are_those_that_the_tree_sees(env: str) -> None:
    """No variation in any environment, whatever augmentation there is; the page is not known."""
    group = validate_parameters(load_config(env)["parameters"]).network_comparison
    page_and_grid = {"page_dropout", "page_scale", "page_shift", "page_lending", "elastic_nodes"}
    varied = {name for name, value in group.training.augmentation if value} - page_and_grid
    assert varied == set()
