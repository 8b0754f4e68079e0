"""The evaluation stage on two untrained models."""

from collections.abc import Callable

import pytest
from matplotlib.figure import Figure

from bukva import charset
from bukva.models.trained import TrainedModel
from bukva.pipelines import evaluation
from stage_runs import Data, run_stage, small_data, small_parameters


@pytest.fixture(scope="module")
def evaluated(make_model: Callable[..., TrainedModel]) -> Data:
    parameters = small_parameters(mnist_pretraining={"corpora": {"strokes": 1.0}})
    inputs = small_data() | parameters
    inputs["mnist_pretraining.model"] = make_model(labels=charset.DIGITS, seed=3)
    inputs["finetuning.model"] = make_model()
    inputs["production_model"] = None
    return run_stage(evaluation.create_pipeline(), inputs)


def test_each_model_answers_for_the_test_samples_it_knows(evaluated: Data) -> None:
    tests = small_data()["sample_table"].query("split == 'test'")
    digits = evaluated["evaluation.digits.predictions"]
    glyphs = evaluated["evaluation.glyphs.predictions"]
    assert set(glyphs["sample_id"]) == set(tests["sample_id"])
    assert set(digits["sample_id"]) == set(tests[tests["label"].str.isdigit()]["sample_id"])
    assert set(digits["predicted_label"]) <= set(charset.DIGITS)


def test_results_keep_the_two_models_apart(evaluated: Data, random_model: TrainedModel) -> None:
    results = evaluated["results"]
    digits = evaluated["evaluation.digits.predictions"]
    glyphs = evaluated["evaluation.glyphs.predictions"]
    assert results["strokes.accuracy"] == pytest.approx(
        digits["predicted_label"].eq(digits["label"]).mean(), abs=1e-6
    )
    assert results["strokes.label_accuracy"] == pytest.approx(
        glyphs["predicted_label"].eq(glyphs["label"]).mean(), abs=1e-6
    )
    assert results["strokes.accuracy.n"] == len(digits)
    assert len(results["strokes.accuracy.ci95"]) == 2
    assert results["model.weights_sha256"] == random_model.digest()


def test_results_hold_bootstrapped_scores_beside_shares(evaluated: Data) -> None:
    results = evaluated["results"]
    report = evaluated["per_class_report"].query("support > 0")
    assert results["all.macro_recall"] == pytest.approx(report["recall"].mean(), abs=1e-5)
    assert results["all.macro_f1"] == pytest.approx(report["f1"].mean(), abs=1e-5)
    for name in ("top3_accuracy", "accuracy_at_90_coverage", "macro_recall", "ece"):
        low, high = results[f"strokes.{name}.ci95"]
        assert 0 <= low < high <= 1


def test_the_tracker_gets_plain_numbers(evaluated: Data) -> None:
    results, metrics = evaluated["results"], evaluated["test_metrics"]
    assert metrics["all.label_accuracy"] == {"value": results["all.label_accuracy"], "step": 0}
    assert all(isinstance(metric["value"], float) for metric in metrics.values())
    assert not any(key.endswith((".ci95", ".n", "sha256")) for key in metrics)


@pytest.mark.parametrize(
    "name", ["label_confusion", "case_confusion", "reliability", "worst_mistakes"]
)
def test_figures_are_drawn(evaluated: Data, name: str) -> None:
    assert isinstance(evaluated[name], Figure)
    assert evaluated[name].axes


def test_every_class_is_reported(evaluated: Data) -> None:
    assert len(evaluated["per_class_report"]) >= len(charset.LABELS)
    assert len(evaluated["misread_pairs"]) > 0


def test_the_first_model_is_accepted(evaluated: Data, random_model: TrainedModel) -> None:
    verdict = evaluated["verdict"]
    assert verdict["is_accepted"]
    assert verdict["weights_sha256"] == random_model.digest()
    assert verdict["production_version"] is None
    assert verdict["tags"]["all.label_accuracy"] == evaluated["results"]["all.label_accuracy"]
