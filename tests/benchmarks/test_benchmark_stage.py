"""The parts of the benchmark that train, on drawings of a few corpora and with tiny networks."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import yaml
from kedro.pipeline import Pipeline
from kedro_project import PROJECT
from stage_runs import Data, run_stage, small_data, small_parameters

from bukva.errors import ParameterError
from bukva.tasks.glyph import charset
from bukva.tasks.glyph.parameters import TrainingParameters
from bukva.tasks.glyph.recogniser import Recogniser
from bukva.tasks.glyph.trained import TrainedModel
from targets import pipeline as benchmark
from targets.kept import KeptTables
from targets.pages import answer_pages
from targets.parameters import BenchmarkParameters
from targets.plans import plan_folds, plan_left_out

TINY = {
    "network": "glyph_cnn",
    "max_epochs": 1,
    "head_epochs": 0,
    "steps_per_epoch": 1,
    "batch_size": 16,
    "device": "cpu",
}
FOLDS = 2


def two_corpora() -> Data:
    """The drawn samples as if digits were a corpus of their own."""
    data = small_data()
    table = data["sample_table"]
    corpus = table["corpus"].mask(table["label"].str.isdigit(), "digits")
    return data | {"sample_table": table.assign(corpus=corpus)}


def inputs_of(base: TrainedModel, folder: Path, **benchmark_changes: object) -> Data:
    corpora = {"strokes": 0.5, "digits": 0.5, "nonsymbols": 0.0}
    parameters = small_parameters(
        finetuning={**TINY, "corpora": corpora},
        mnist_pretraining={**TINY, "corpora": {"digits": 1.0, "strokes": 0.0}},
    )
    small = {
        "corpus": "strokes", "folds": 2, "repeats": 1, "fold_epochs": 1, "left_out": ["digits"],
        "left_out_epochs": 1, "mnist_seeds": [1, 2], "page_digits": 20, "latency_images": 5,
    }  # fmt: skip
    parameters["params:benchmark"] = BenchmarkParameters.model_validate(small | benchmark_changes)
    stores = {
        f"benchmark.{part}.kept": KeptTables(str(folder / part))
        for part in ("cross_validation", "leave_one_corpus_out", "mnist_seeds")
    }
    models = {"benchmark.base_model": base, "mnist_pretraining.model": base}
    return {**two_corpora(), **parameters, **stores, **models}


def part(name: str) -> Pipeline:
    return benchmark.create_pipeline().filter(node_namespaces=[f"benchmark.{name}"])


@pytest.fixture(scope="module")
def inputs(random_model: TrainedModel, tmp_path_factory: pytest.TempPathFactory) -> Data:
    return inputs_of(random_model, tmp_path_factory.mktemp("benchmark"))


@pytest.fixture(scope="module")
def cross_validated(inputs: Data) -> Data:
    return run_stage(part("cross_validation"), inputs)


def test_each_sample_of_the_corpus_is_answered_for_once_in_each_scope(
    cross_validated: Data, inputs: Data
) -> None:
    predictions = cross_validated["benchmark.cross_validation.predictions"]
    wanted = set(inputs["sample_table"].query("corpus == 'strokes'")["sample_id"])
    for scope in ("stratified", "blocks"):
        answered = predictions[predictions["scope"].eq(scope)]["sample_id"]
        assert answered.is_unique
        assert set(answered) == wanted
    assert predictions["trial"].nunique() == 2 * FOLDS


def test_accuracies_of_the_folds_come_with_intervals(cross_validated: Data) -> None:
    scores = cross_validated["benchmark.cross_validation.scores"]
    for scope in ("stratified", "blocks"):
        for measure in ("label_accuracy", "case_accuracy", "joint_accuracy"):
            key = f"cross_validation.{scope}.{measure}"
            low, high = scores[f"{key}.ci95"]
            assert 0 <= low <= scores[key] <= high <= 1
            assert scores[f"{key}.n"] > 100


def test_only_what_is_missing_is_computed_again(cross_validated: Data, inputs: Data) -> None:
    kept = inputs["benchmark.cross_validation.kept"]
    files = sorted(Path(kept._folder).glob("*.parquet"))
    assert len(files) == 2 * FOLDS
    files[0].unlink()
    written_ns = {file: file.stat().st_mtime_ns for file in files[1:]}
    again = run_stage(part("cross_validation"), inputs)
    assert files[0].exists()
    assert {file: file.stat().st_mtime_ns for file in files[1:]} == written_ns
    name = "benchmark.cross_validation.predictions"
    pd.testing.assert_frame_equal(again[name], cross_validated[name])


def plan(inputs: Data, base: TrainedModel, **finetuning: object) -> list[pd.Series]:
    trials = plan_folds(
        base,
        inputs["sample_table"],
        inputs["sample_images"],
        inputs["params:finetuning"].model_copy(update=finetuning),
        inputs["params:benchmark"],
    )
    return [trial.split for trial in trials]


def test_a_fold_learns_from_the_rest_of_its_corpus_and_from_no_other_test(
    inputs: Data, random_model: TrainedModel
) -> None:
    table = inputs["sample_table"]
    is_corpus = table["corpus"].eq("strokes")
    for split in plan(inputs, random_model):
        assert set(split[is_corpus]) == {"train", "valid", "test"}
        assert not split[~is_corpus & table["split"].eq("test")].isin(["train", "valid"]).any()
        assert not split[~is_corpus].eq("test").any()


def test_a_base_model_that_knows_the_corpus_is_refused(
    inputs: Data, random_model: TrainedModel
) -> None:
    spec = random_model.spec.model_copy(update={"corpora": ("mnist", "strokes")})
    with pytest.raises(ParameterError, match="never seen strokes, got one trained on mnist"):
        plan(inputs, TrainedModel(random_model.weights, spec))


def test_folds_that_would_not_train_on_the_corpus_are_refused(
    inputs: Data, random_model: TrainedModel
) -> None:
    with pytest.raises(ParameterError, match="weight of strokes"):
        plan(inputs, random_model, corpora={"digits": 1.0})


def test_a_corpus_of_labels_that_the_base_model_lacks_is_not_learnt(
    inputs: Data, make_model: Callable[..., TrainedModel]
) -> None:
    letters = make_model(labels=charset.LETTERS)
    trials = plan_folds(
        letters,
        inputs["sample_table"],
        inputs["sample_images"],
        inputs["params:finetuning"],
        inputs["params:benchmark"],
    )
    for trial in trials:
        assert isinstance(trial.parameters, TrainingParameters)
        assert trial.parameters.corpora["digits"] == 0
        assert trial.parameters.corpora["strokes"] == 0.5


def test_a_corpus_that_is_left_out_is_tested_and_not_learnt(
    inputs: Data, random_model: TrainedModel
) -> None:
    trials = plan_left_out(
        random_model,
        random_model,
        inputs["sample_table"],
        inputs["params:finetuning"],
        inputs["params:benchmark"].model_copy(update={"left_out": ("digits", "moon")}),
    )
    without, base = trials
    table = inputs["sample_table"]
    assert isinstance(without.parameters, TrainingParameters)
    assert without.parameters.corpora["digits"] == 0
    assert without.parameters.corpora["strokes"] == 0.5
    is_digits = table["corpus"].eq("digits")
    assert set(without.split[is_digits]) == {"test", "unused"}
    assert set(without.split[~is_digits]) == {"train", "valid", "unused"}
    assert without.split[is_digits].eq("test").equals(table["split"][is_digits].eq("test"))
    # The base model has seen nothing of its corpus, so that every sample is a test.
    assert base.parameters is None
    assert base.split.eq("test").equals(table["corpus"].eq("strokes"))


def test_parts_that_train_again_are_scored(inputs: Data) -> None:
    left_out = run_stage(part("leave_one_corpus_out"), inputs)
    scores = left_out["benchmark.leave_one_corpus_out.scores"]
    assert {"digits", "strokes"} == {key.split(".")[1] for key in scores}
    seeds = run_stage(part("mnist_seeds"), inputs)
    scores = seeds["benchmark.mnist_seeds.scores"]
    assert scores["mnist_seeds.label_accuracy.n"] == 2
    assert set(seeds["benchmark.mnist_seeds.predictions"]["corpus"]) == {"digits"}


def test_a_corpus_that_is_not_there_is_skipped(
    make_model: Callable[..., TrainedModel], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    inputs = inputs_of(make_model(), tmp_path, corpus="rukopys")
    done = run_stage(part("cross_validation"), inputs)
    assert done["benchmark.cross_validation.scores"] == {}
    assert done["benchmark.cross_validation.predictions"].empty
    assert "holds no corpus rukopys" in caplog.text


@pytest.fixture(scope="module")
def served(inputs: Data, random_model: TrainedModel, random_recogniser: Recogniser) -> Data:
    model = {"finetuning.model": random_model, "recogniser": random_recogniser}
    parts = part("size") + part("latency") + part("page_digits")
    return run_stage(parts, inputs | model)


def test_pages_of_test_digits_are_answered(served: Data, inputs: Data) -> None:
    answers = served["benchmark.page_digits.predictions"]
    tests = inputs["sample_table"].query("split == 'test' and corpus == 'digits'")
    assert set(answers["sample_id"]) == set(tests["sample_id"])
    assert answers["page_px"].between(200, 400).all()
    scores = served["benchmark.page_digits.scores"]
    right = (answers["answer"] == answers["label"]).mean()
    assert scores["page_digits.label_accuracy"] == pytest.approx(right, abs=1e-6)
    assert scores["page_digits.label_accuracy.n"] == len(tests)


def test_a_page_gets_the_same_answer_whatever_is_asked_beside_it(
    served: Data, inputs: Data, random_recogniser: Recogniser
) -> None:
    answers = served["benchmark.page_digits.predictions"]
    rows = inputs["sample_table"].loc[answers.index[3:4]]
    seed = inputs["params:benchmark"].seed
    alone = answer_pages(random_recogniser, rows, inputs["sample_images"], seed)
    assert alone["answer"].tolist() == answers["answer"].iloc[3:4].tolist()
    assert alone["page_px"].tolist() == answers["page_px"].iloc[3:4].tolist()


def test_times_and_sizes_are_those_of_the_recogniser(
    served: Data, inputs: Data, random_model: TrainedModel, random_recogniser: Recogniser
) -> None:
    times, scores = served["benchmark.latency.times"], served["benchmark.latency.scores"]
    assert len(times) == inputs["params:benchmark"].latency_images
    assert (times > 0).all(axis=None)
    for name in times.columns:
        percentiles = [scores[f"latency.{name}.p{percent}"] for percent in (50, 90, 99)]
        assert percentiles == sorted(percentiles)
    size = served["benchmark.size.scores"]
    weights = random_model.to_network().parameters()
    assert size["size.parameters"] == sum(weight.numel() for weight in weights)
    assert size["size.onnx_bytes"] == len(random_recogniser.onnx_model)


def test_report_puts_measurements_beside_the_projects_targets(served: Data) -> None:
    targets = yaml.safe_load((PROJECT / "benchmarks" / "targets" / "targets.yml").read_text())
    done = run_stage(
        benchmark.create_report_pipeline(),
        {
            "benchmark_targets": targets,
            "benchmark_measurements": served["benchmark.size.scores"],
        },
    )
    rows = {row["what"]: row for row in done["benchmark_results"]}
    assert len(rows) == len(targets)
    assert rows["parameters"]["verdict"] == "aim reached"
    assert rows["MNIST, digit network, mean of 5 seeds"]["verdict"] == "not measured"
    assert len(done["benchmark_table"].splitlines()) == len(targets) + 2
