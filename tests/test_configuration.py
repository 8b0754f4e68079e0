"""Every environment of conf/ resolves, and the catalog says where everything lies."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml
from click.testing import CliRunner
from kedro.framework.cli.cli import KedroCLI
from kedro.io import DataCatalog
from kedro_mlflow.config.kedro_mlflow_config import KedroMlflowConfig
from kedro_project import ENVIRONMENTS, PROJECT, load_catalog, load_config, storage_at

from bukva.configuration import GOES_ON_FROM, open_config
from bukva.core.tuning.trials import nest_values, read_values
from bukva.pipeline_registry import register_pipelines
from bukva.pipelines.parameters import validate_parameters
from bukva.registry.package_files import MODEL_NAME

# They need not outlive their run: what is in them is in MLflow, or becomes `recogniser`.
BY_DEFAULT = {"exported_recogniser"}
TASKS = ("character.", "document.", "line.")
IN_MEMORY = {
    *BY_DEFAULT, "candidate_model", "dossier", *(f"{task}candidate_model" for task in TASKS),
    "line.adaptation.source",
}  # fmt: skip
# Written by hooks, so no node names it.
WRITTEN_BY_HOOKS = {"stage_seconds"}
STAGES = (
    "finetuning", "mnist_pretraining", "character.training", "document.training", "line.training",
    "line.adaptation",
)  # fmt: skip
IN_TRACKER = {*(f"{stage}.epoch_metrics" for stage in STAGES), "test_metrics"}
IN_REGISTRY = {
    f"{task}{name}"
    for task in ("", *TASKS)
    for name in ("packaged_models", "registered_models", "registration")
}
RECOGNISERS = {
    "recogniser", *(f"{task}training.model" for task in TASKS), "line.adaptation.model",
    "line.adaptation.start_model",
}  # fmt: skip
# What tuning finds is part of conf, and its studies are in a database.
TUNING = {"tuning.best_parameters", "tuning.studies", "tuning.trial_runs"}


def dataset_names() -> set[str]:
    found = set[str]().union(*(pipeline.datasets() for pipeline in register_pipelines().values()))
    return {name for name in found if not name.startswith("params:")} | WRITTEN_BY_HOOKS


def address(catalog: DataCatalog, name: str) -> str:
    config = catalog.config_resolver.resolve_pattern(name)
    return str(config.get("filepath") or config.get("folder") or "")


def is_kept(catalog: DataCatalog, name: str) -> bool:
    config = catalog.config_resolver.resolve_pattern(name)
    return not str(config.get("type", "MemoryDataset")).endswith("MemoryDataset")


@pytest.fixture(scope="module", params=ENVIRONMENTS)
def env(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def catalog(env: str) -> DataCatalog:
    return load_catalog(env)


def test_every_dataset_of_every_pipeline_is_persistent_and_can_be_made(
    catalog: DataCatalog,
) -> None:
    persistent = {name for name in dataset_names() if is_kept(catalog, name)}
    assert dataset_names() - persistent == IN_MEMORY
    assert all(catalog.get(name) is not None for name in persistent)


def test_no_entry_of_the_catalog_is_left_over(env: str, catalog: DataCatalog) -> None:
    used = dataset_names()
    used |= {catalog.config_resolver.match_dataset_pattern(name) for name in used}
    entries = {name for name in load_config(env)["catalog"] if not name.startswith("_")}
    assert entries - used == set()


def test_every_parameter_group_validates(env: str) -> None:
    parameters = validate_parameters(load_config(env)["parameters"])
    # One backbone: the second stage starts from the first one's.
    assert parameters.finetuning.width == parameters.mnist_pretraining.width


def test_corpora_that_are_trained_on_are_read(env: str) -> None:
    config = load_config(env)
    parameters = validate_parameters(config["parameters"])
    available = set(config["globals"]["corpora"])
    available |= {"strokes"} if parameters.embedded.samples_per_symbol else set()
    available |= {"fonts"} if parameters.embedded.font_samples_per_symbol else set()
    available |= {"digits"} if parameters.embedded.with_digits else set()
    available |= {"nonsymbols"} if parameters.data_processing.nonsymbols_per_kind else set()
    available |= {"photographs"} if parameters.data_processing.photographs_per_symbol else set()
    assert set(parameters.data_processing.unseen) <= available
    weights = [parameters.mnist_pretraining.corpora, parameters.finetuning.corpora]
    trained = {name for stage in weights for name, weight in stage.items() if weight}
    assert trained == available


def test_the_released_model_does_not_see_what_may_not_be_released() -> None:
    assert validate_parameters(load_config("released")["parameters"]).data_processing.unseen == (
        "rukopys",
    )
    assert validate_parameters(load_config("real")["parameters"]).data_processing.unseen == ()


def test_tracking_is_configured(env: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # The environment `prod` asks for it, and kedro-mlflow sets it in every session.
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    config = KedroMlflowConfig.model_validate(load_config(env)["mlflow"])
    is_server = config.server.mlflow_tracking_uri.startswith("http")
    place = config.tracking.experiment.create_experiment_kwargs.artifact_location
    assert config.tracking.experiment.name == "bukva"
    assert "inference" in config.tracking.disable_tracking.pipelines
    assert is_server == (env == "prod")
    # A server decides where artifacts lie; without one they lie beside the database.
    assert (place is None) == is_server


def test_what_mlflow_uploads_lies_on_local_disk(catalog: DataCatalog) -> None:
    assert address(catalog, "recogniser").endswith("/06_models/recogniser.onnx")
    assert "://" not in address(catalog, "recogniser")


def test_registry_datasets_name_the_packaged_model(catalog: DataCatalog) -> None:
    named = {catalog.config_resolver.resolve_pattern(name)["model_name"] for name in IN_REGISTRY}
    assert named == {MODEL_NAME, "bukva-character", "bukva-document", "bukva-line"}


@pytest.mark.parametrize("env", ["s3", "prod"], indirect=True)
def test_one_line_moves_the_storage_to_s3(catalog: DataCatalog) -> None:
    elsewhere = {
        name
        for name in dataset_names() - IN_MEMORY
        if not address(catalog, name).startswith("s3://bukva/")
    }
    in_conf = {"corpora_manifest", "model_card_template", "released_model"}
    # The model that answers a batch is fetched from the registry, or is that recogniser.
    assert elsewhere == RECOGNISERS | {"batch_model"} | in_conf | IN_REGISTRY | IN_TRACKER | TUNING
    assert catalog.get("sample_table")._protocol == "s3"


@pytest.mark.parametrize("env", ["base", "real"], indirect=True)
def test_storage_is_the_data_folder(catalog: DataCatalog) -> None:
    places = {address(catalog, name) for name in dataset_names() - IN_MEMORY - TUNING}
    elsewhere = ("conf/base/", "src/bukva_released/")
    assert all(place.startswith(("data/0", *elsewhere)) for place in places - {""})


@pytest.mark.parametrize("env", ["base", "s3"], indirect=True)
def test_a_run_of_an_experiment_has_its_own_results_and_shares_the_data(
    env: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ordinary = load_catalog(env)
    monkeypatch.setenv("BUKVA_RUN_FOLDER", "experiments/a/b/")
    own = load_catalog(env)
    for name in dataset_names() - IN_MEMORY:
        shared, moved = address(ordinary, name), address(own, name)
        is_result = any(f"/{layer}_" in shared for layer in ("06", "07", "08"))
        assert moved == (shared.replace("/0", "/experiments/a/b/0") if is_result else shared)


def test_tuning_writes_where_finetuning_reads(env: str) -> None:
    """In conf, but for the tests; what is found on people holds wherever people are trained on."""
    place = address(load_catalog(env), "tuning.best_parameters")
    home = "real" if env in ("real", "prod", "released") else "base"
    if env == "test":
        assert place == "build/test/globals_tuned.yml"
    else:
        assert place == f"conf/{home}/globals_tuned.yml"


# `released` goes on from a trained model, at a learning rate of its own.
@pytest.mark.parametrize("env", ["base", "real", "prod"], indirect=True)
def test_finetuning_reads_all_that_is_searched(env: str, tmp_path: Path) -> None:
    conf = tmp_path / "conf"
    shutil.copytree(PROJECT / "conf", conf)
    space = validate_parameters(load_config(env)["parameters"]).tuning.space
    found = {name: item.ends[0] for name, item in space.items()}
    tuned = {"tuned": {"finetuning": nest_values(pd.Series(found), space)}}
    home = GOES_ON_FROM.get(env, env)
    (conf / home / "globals_tuned.yml").write_text(yaml.safe_dump(tuned))
    config = open_config(conf.parent, env)
    assert read_values(validate_parameters(config["parameters"]).finetuning, space) == found


def test_no_file_of_conf_is_a_link() -> None:
    assert not [path for path in (PROJECT / "conf").rglob("*") if path.is_symlink()]


@pytest.mark.parametrize("env", list(GOES_ON_FROM))
def test_an_environment_goes_on_from_another_and_changes_what_it_says(env: str) -> None:
    # One after the other: the resolvers of all loaders are those of the last one made.
    config = load_config(env)
    own, own_globals = config["parameters"], config["globals"]
    config = load_config(GOES_ON_FROM[env])
    other, other_globals = config["parameters"], config["globals"]
    # What is told apart; and where a batch and own lines lie by default, which is in the storage.
    in_storage = {"batch_inference", "line"}
    changed = {"released": {"data_processing", "finetuning"}, "prod": in_storage}[env]
    assert {name for name in other if own[name] != other[name]} == changed
    assert own_globals["corpora"] == other_globals["corpora"]
    assert (own_globals["storage"]["root"] == "data") == (env == "released")


def test_what_was_set_by_hand_stays() -> None:
    config = load_config("prod")
    config["parameters"] = {"embedded": {}}
    assert config["parameters"] == {"embedded": {}}


def test_what_is_written_is_written_whole(catalog: DataCatalog) -> None:
    """Kedro's own datasets would leave half a file after a kill: bukva.datasets.files has them."""
    outputs = set[str]().union(*(item.all_outputs() for item in register_pipelines().values()))
    kinds = {
        name: str(catalog.config_resolver.resolve_pattern(name)["type"])
        for name in (outputs | WRITTEN_BY_HOOKS) - BY_DEFAULT - IN_TRACKER
        if is_kept(catalog, name)
    }
    assert {name: kind for name, kind in kinds.items() if not kind.startswith("bukva.")} == {}


def test_slashes_at_the_end_of_an_address_do_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUKVA_RUN_FOLDER", "runs/a")
    plain = {}
    for slash in ("", "/"):
        monkeypatch.setenv("BUKVA_STORAGE", f"s3://b/top{slash}")
        monkeypatch.setenv("BUKVA_RUN_FOLDER", f"runs/a{slash}")
        plain[slash] = {env: load_config(env)["catalog"] for env in ("s3", "prod")}
    assert plain[""] == plain["/"]
    for config in plain[""].values():
        assert config["results"]["filepath"] == "s3://b/top/runs/a/08_reporting/results.json"
        assert config["corrections"]["folder"] == "s3://b/top/01_raw/feedback"


def test_the_machine_may_say_where_things_lie(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUKVA_STORAGE", "s3://elsewhere")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://mlflow.example.org")
    config = load_config("prod")
    assert config["globals"]["storage"]["root"] == "s3://elsewhere"
    assert config["mlflow"]["server"]["mlflow_tracking_uri"] == "https://mlflow.example.org"


@pytest.mark.parametrize(
    ("name", "kind", "path"),
    [
        ("finetuning.model", "TrainedModelDataset", "06_models/finetuning/model.safetensors"),
        ("line.finetuning.model", "TrainedModelDataset", "line.finetuning/model.safetensors"),
        ("finetuning.checkpoints", "CheckpointDataset", "06_models/finetuning/checkpoint.pt"),
        ("mnist_pretraining.history", "CSVDataset", "08_reporting/mnist_pretraining_history.csv"),
        ("finetuning.learning_curves", "TrackedFigureDataset", "finetuning_learning_curves.png"),
        ("evaluation.glyphs.scores", "JSONDataset", "08_reporting/glyphs_scores.json"),
        ("evaluation.digits.predictions", "ParquetDataset", "digits_predictions.parquet"),
        ("finetuning.epoch_metrics", "EpochMetricsDataset", ""),
    ],
)
def test_factories_pick_the_right_dataset(name: str, kind: str, path: str) -> None:
    catalog = load_catalog("base")
    assert type(catalog.get(name)).__name__ == kind
    assert address(catalog, name).endswith(path)


def test_a_misspelt_dataset_matches_nothing() -> None:
    catalog = load_catalog("base")
    assert "finetuning.modle" not in catalog
    assert "sample_tabel" not in catalog


def test_figures_have_a_preview() -> None:
    config = load_config("base")["catalog"]
    figures = [name for name in config if str(config[name].get("filepath")).endswith(".png")]
    assert len(figures) == 25
    catalog = load_catalog("base")
    for name in figures:
        dataset = catalog.get(name.replace("{stage}", "finetuning"))
        assert dataset.preview.__annotations__["return"].__name__ == "ImagePreview"


def test_kedro_describes_the_datasets(tmp_path: Path) -> None:
    with storage_at(tmp_path):
        arguments = ["catalog", "describe-datasets", "--env=test"]
        done = CliRunner().invoke(KedroCLI(PROJECT), arguments)
    assert done.exit_code == 0, done.output
    described = yaml.safe_load(done.stdout[done.stdout.index("__default__:") :])
    assert described.keys() == register_pipelines().keys()
    in_memory = {
        name
        for pipeline in described.values()
        for names in pipeline["defaults"].values()
        for name in names
    }
    assert in_memory == BY_DEFAULT
