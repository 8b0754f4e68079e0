"""From raw samples to a table, from that to a network, and what is said of it."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from bukva.core.corpora.sklearn_digits import read_sklearn_digits
from bukva.core.samples import RawSample
from bukva.tasks.character.evaluation import compare, measure, merge, per_class_report, score
from bukva.tasks.character.parameters import DataParameters, TrainingParameters
from bukva.tasks.character.training import collect, train

SMALL = TrainingParameters(
    width=6, max_epochs=2, steps_per_epoch=25, batch_size=64, device="cpu", ema_decay=0.9
)


@pytest.fixture(scope="module")
def digits() -> tuple[pd.DataFrame, np.ndarray]:
    return collect({"digits": read_sklearn_digits}, DataParameters())


def test_each_class_is_dealt_out_by_the_shares(digits: tuple[pd.DataFrame, np.ndarray]) -> None:
    table, images_NHW = digits
    assert len(table) == len(images_NHW) == 1797
    assert table["sample_id"].is_unique
    shares = table.groupby("label")["split"].value_counts(normalize=True).unstack()
    assert shares["test"].between(0.13, 0.17).all()
    assert shares["valid"].between(0.03, 0.07).all()


def test_what_is_framed_already_is_taken_as_it_is() -> None:
    image_HW = np.random.default_rng(1).integers(0, 255, (28, 28), np.uint8)

    def read() -> Iterator[RawSample]:
        yield RawSample(name="1", image=image_HW, label="Q")

    _, images_NHW = collect({"emnist": read}, DataParameters())
    np.testing.assert_array_equal(images_NHW[0], image_HW)


def test_the_same_seed_gives_the_same_file_and_it_learns(
    digits: tuple[pd.DataFrame, np.ndarray],
) -> None:
    first, history = train(*digits, SMALL)
    second, _ = train(*digits, SMALL)
    assert first.sha256 == second.sha256
    assert history["valid_accuracy"].iloc[-1] > 0.5, "of ten classes"
    assert first.spec["labels"] == "0123456789"


def test_cases_that_differ_by_size_only_are_merged() -> None:
    labels = pd.Series(list("cCaAzZ0o"))
    assert "".join(merge(labels)) == "CCaAZZ0O"


def predictions(truth: str, predicted: str) -> pd.DataFrame:
    return pd.DataFrame({"label": list(truth), "predicted": list(predicted)})


def test_scores_count_merged_classes_apart() -> None:
    scores = score(predictions("cCaA", "CCAA"))
    assert scores["all.accuracy"] == 0.5
    assert scores["all.merged_accuracy"] == 0.75
    low, high = scores["all.accuracy.ci95"]
    assert 0 < low < 0.5 < high < 1


def test_a_comparison_is_second_minus_first() -> None:
    difference = compare(predictions("abcd", "aaaa"), predictions("abcd", "abca"))
    assert difference["accuracy.difference"] == 0.5
    assert (difference["accuracy.only_first_right"], difference["accuracy.only_second_right"]) == (
        0,
        2,
    )


def test_each_class_has_precision_recall_and_f1() -> None:
    report = per_class_report(predictions("aabb", "aaab")).set_index("label")
    assert report.loc["a", "precision"] == pytest.approx(2 / 3)
    assert report.loc["b", "recall"] == 0.5
    assert report.loc["b", "f1"] == pytest.approx(2 / 3)
    assert list(report["samples"]) == [2, 2]


def test_a_row_of_the_table_is_measured_on_the_samples() -> None:
    table = pd.DataFrame({"label": list("0110")})
    images_NHW = np.arange(4, dtype=np.uint8)[:, None, None]

    def read(some_NHW: np.ndarray) -> list[str]:
        return ["1"] * len(some_NHW)

    row = measure("always one", read, 3, 1.26, (table, images_NHW), latency_calls=3)
    assert (row["name"], row["all.accuracy"], row["size"], row["train_s"]) == (
        "always one",
        0.5,
        3,
        1.3,
    )
    assert row["mean_recall"] == 0.5
    assert row["latency_ms"] > 0
