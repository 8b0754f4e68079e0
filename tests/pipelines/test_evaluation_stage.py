"""The evaluation stage on two untrained models."""

from collections.abc import Callable

import numpy as np
import pytest
from kedro_project import PROJECT
from matplotlib.figure import Figure
from stage_runs import Data, manifest, run_stage, small_data, small_parameters

from bukva.pipelines.evaluation import pipeline as evaluation
from bukva.tasks.glyph import charset
from bukva.tasks.glyph.evaluation.conditions import CLEAN
from bukva.tasks.glyph.evaluation.scenes import SCENES
from bukva.tasks.glyph.table import is_symbol
from bukva.tasks.glyph.trained import TrainedModel


@pytest.fixture(scope="module")
def evaluated(make_model: Callable[..., TrainedModel]) -> Data:
    parameters = small_parameters(mnist_pretraining={"corpora": {"strokes": 1.0}})
    inputs = small_data() | parameters
    inputs["mnist_pretraining.model"] = make_model(labels=charset.DIGITS, seed=3)
    inputs["finetuning.model"] = make_model()
    inputs["corpora_manifest"] = manifest()
    inputs["corpora"] = {}
    inputs["model_card_template"] = (PROJECT / "conf" / "base" / "model_card.md").read_text()
    return run_stage(evaluation.create_pipeline(), inputs)


def test_each_model_answers_for_the_test_samples_it_knows(evaluated: Data) -> None:
    tests = small_data()["sample_table"].query("split == 'test' and corpus != 'nonsymbols'")
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
    assert metrics["all.label_accuracy"] == results["all.label_accuracy"]
    assert all(isinstance(value, float) for value in metrics.values())
    assert not any(key.endswith((".ci95", ".n", "sha256")) for key in metrics)


@pytest.mark.parametrize(
    "name",
    [
        "label_confusion",
        "case_confusion",
        "reliability",
        "roc",
        "risk_coverage",
        "robustness_curves",
        "conditions_figure",
        "worst_mistakes",
        "explained_mistakes",
    ],
)
def test_figures_are_drawn(evaluated: Data, name: str) -> None:
    assert isinstance(evaluated[name], Figure)
    assert evaluated[name].axes


def test_disturbed_samples_are_measured_beside_the_stored_ones(evaluated: Data) -> None:
    robustness, predictions = evaluated["robustness"], evaluated["evaluation.glyphs.predictions"]
    assert len(robustness) == 2 + 3 * 6
    assert set(robustness["n"]) == {20}
    stored = robustness.set_index("shift").loc["stored"]
    overall = predictions["predicted_label"].eq(predictions["label"]).mean()
    assert stored["low"] <= overall <= stored["high"]


def test_letters_on_paper_are_measured_beside_clean_ones(evaluated: Data) -> None:
    conditions = evaluated["conditions"]
    assert set(conditions["condition"]) == {CLEAN, *SCENES}
    assert set(conditions["corpus"]) == {"strokes"}
    assert set(conditions["n"]) == {8}
    assert conditions["right"].between(0, 1).all()


def test_what_shows_no_symbol_counts_for_refusal_only(evaluated: Data) -> None:
    answered, table = evaluated["outlier_predictions"], small_data()["sample_table"]
    held_out = table[table["split"].eq("test") | (table["split"].eq("valid") & is_symbol(table))]
    assert set(answered["sample_id"]) == set(held_out["sample_id"])
    # The network has no class for it: all probabilities of a symbol are 1, up to rounding.
    results = evaluated["results"]
    np.testing.assert_allclose(answered["symbol_probability"], 1.0, atol=1e-5)
    assert {"refusal.kept", "refusal.strokes.kept", "refusal.pair.refused"} <= results.keys()
    assert results["refusal.blank.refused"] == 1.0


def test_every_class_is_reported(evaluated: Data) -> None:
    assert len(evaluated["per_class_report"]) >= len(charset.LABELS)
    assert len(evaluated["misread_pairs"]) > 0
    assert set(evaluated["label_suspects"]["suggested_label"]) <= set(charset.LABELS)


def test_the_card_tells_the_results_of_the_run(evaluated: Data) -> None:
    results, card = evaluated["results"], evaluated["model_card"]
    assert f"| all | {results['all.label_accuracy.n']} | " in card
    assert f"{100 * results['all.label_accuracy']:.2f} [" in card
    assert results["model.weights_sha256"] in card
    assert "$" not in card
