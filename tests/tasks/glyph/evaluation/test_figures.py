import io

import numpy as np
import pandas as pd
import pytest
from matplotlib import rcParams
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image
from prediction_tables import make_predictions, with_probabilities

from bukva.core.evaluation.figures import style
from bukva.core.evaluation.figures.training import plot_learning_curves
from bukva.errors import TableError
from bukva.tasks.glyph.charset import LABELS, LETTERS, SYMBOLS, from_symbol
from bukva.tasks.glyph.figures.calibration import plot_reliability
from bukva.tasks.glyph.figures.confusion import plot_case_confusion, plot_label_confusion
from bukva.tasks.glyph.figures.mistakes import plot_worst_mistakes
from bukva.tasks.glyph.figures.ranking import plot_risk_coverage, plot_roc
from bukva.tasks.glyph.figures.robustness import plot_robustness
from bukva.tasks.glyph.figures.samples import (
    plot_class_counts,
    plot_ink_statistics,
    plot_sample_sheet,
)


def render(figure: Figure) -> np.ndarray:
    """Save as PNG, as the catalog does, and return the pixels."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=60)
    return np.asarray(Image.open(stream).convert("RGB"))


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))]


def canvas(figure: Figure) -> np.ndarray:
    return np.asarray(figure.axes[0].images[0].get_array())


def make_history(epochs: int = 6) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "epoch": range(1, epochs + 1),
            "phase": (["heads"] * 2 + ["all"] * 100)[:epochs],
            "learning_rate": 0.01,
            "train_loss": np.linspace(2, 0.1, epochs),
            "valid_loss": np.abs(np.arange(epochs) - 3.0) + 0.5,
            "valid_label_accuracy": np.linspace(0.5, 0.97, epochs),
            "valid_case_accuracy": np.nan,
            "seconds": 2.0,
        }
    )


def make_samples(corpus: str = "strokes") -> tuple[np.ndarray, pd.DataFrame]:
    label, is_uppercase = zip(*map(from_symbol, SYMBOLS), strict=True)
    images = np.random.default_rng(0).integers(0, 256, (len(SYMBOLS), 28, 28), dtype=np.uint8)
    table = pd.DataFrame(
        {
            "corpus": corpus,
            "label": label,
            "is_uppercase": pd.array(is_uppercase, dtype="boolean"),
            "split": "train",
            "rel_height": np.float32(np.nan),
        }
    )
    return images, table


ALL_LABELS = with_probabilities(
    make_predictions(
        *[(label, label in LETTERS or None, label, 0.7) for label in LABELS], ("з", False, "3", 0.8)
    )
)


def make_robustness(corpus: str = "paper") -> pd.DataFrame:
    steps = [("stored", 0.0), ("rendered", 0.0), ("noise", 10.0), ("noise", 50.0)]
    return pd.DataFrame(
        [
            {"shift": shift, "strength": strength, "corpus": corpus, "n": 40}
            | {"accuracy": accuracy, "low": accuracy - 0.1, "high": accuracy + 0.05}
            for (shift, strength), accuracy in zip(steps, (0.95, 0.9, 0.8, 0.4), strict=True)
        ]
    )


def every_figure(
    predictions: pd.DataFrame, images: np.ndarray, table: pd.DataFrame
) -> list[Figure]:
    return [
        plot_learning_curves(make_history()),
        plot_label_confusion(predictions),
        plot_case_confusion(predictions),
        plot_worst_mistakes(np.zeros((len(predictions), 28, 28), np.uint8), predictions),
        plot_reliability(predictions),
        plot_roc(predictions),
        plot_risk_coverage(predictions),
        plot_class_counts(table),
        plot_sample_sheet(images, table, seed=0),
        plot_ink_statistics(images, table),
    ]


def test_every_figure_renders_without_warning_and_leaves_the_style_alone(recwarn):
    before = dict(rcParams)
    for figure in every_figure(ALL_LABELS, *make_samples()):
        assert render(figure).std() > 5  # something is drawn
    assert dict(rcParams) == before
    assert not [str(warning.message) for warning in recwarn]


def test_empty_tables_give_figures_that_say_so(recwarn):
    images, table = make_samples()
    figures = every_figure(ALL_LABELS[:0], images[:0], table[:0])
    shown = ["\n".join(texts(figure)) for figure in figures]
    assert all("no samples" in text for text in shown[1:] if "No letter" not in text)
    assert "No letter whose case is known" in shown[2]
    assert "no epoch was trained" in texts(plot_learning_curves(make_history(0)))
    assert not [str(warning.message) for warning in recwarn]


def test_what_is_synthetic_says_so():
    images, table = make_samples("strokes")
    predictions = ALL_LABELS.assign(corpus="strokes")
    for figure in every_figure(predictions, images, table)[1:]:
        assert any("strokes (synthetic)" in text for text in texts(figure))
    for figure in every_figure(ALL_LABELS, *make_samples("paper")):
        assert not any("synthetic" in text for text in texts(figure))


def test_label_confusion_names_all_labels_and_marks_the_mistake():
    figure = plot_label_confusion(ALL_LABELS)
    axes = figure.axes[0]
    left, right = np.split(np.array([tick.get_text() for tick in axes.get_yticklabels()]), 2)
    assert "".join(left) == "".join(right) == LABELS
    colours = axes.images[0].get_array()
    mistake = colours[LABELS.index("з"), LABELS.index("3"), :3]
    assert mistake[0] > mistake[2] + 0.3  # orange
    right = colours[LABELS.index("д"), LABELS.index("д"), :3]
    assert right[2] > right[0] + 0.1  # blue
    assert tuple(colours[LABELS.index("д"), 0, :3]) == to_rgb("white")
    assert {"50", "100"} <= set(texts(figure))


def test_case_confusion_counts_letters_only():
    predictions = make_predictions(
        ("о", True, "о", 0.9), ("о", True, "о", 0.2), ("с", False, "0", 0.9), ("7", None, "7", 0.9)
    )
    written = texts(plot_case_confusion(predictions))
    assert "3 samples of paper, 33.3 % right" in written
    assert written.count("50.0 %") == 2
    assert "100.0 %" in written


def test_worst_mistakes_shows_the_surest_first():
    predictions = make_predictions(
        ("з", None, "3", 0.5), ("о", None, "0", 0.5), ("ь", None, "6", 0.5), ("а", None, "а", 0.5)
    )
    predictions["label_probability"] = [0.6, 0.9, 0.7, 1.0]
    images = np.stack([np.full((28, 28), shade, np.uint8) for shade in (10, 20, 30, 40)])
    figure = plot_worst_mistakes(images, predictions, count=2)
    shown = [axes for axes in figure.axes if axes.images]
    assert [axes.get_title() for axes in shown] == ["о → 0  0.90", "ь → 6  0.70"]
    assert [axes.images[0].get_array().max() for axes in shown] == [20, 30]


def test_learning_curves_mark_phases_and_the_best_epoch():
    figure = plot_learning_curves(make_history())
    assert "6 epochs in 12 s, lowest validation loss after epoch 4" in texts(figure)
    assert {"heads", "all"} <= set(texts(figure))
    assert "case" not in [text.get_text() for text in figure.axes[1].get_legend().get_texts()]


def test_sample_sheet_is_seeded_and_shows_every_symbol():
    images, table = make_samples()
    images, table = np.concatenate([images] * 20), pd.concat([table] * 20, ignore_index=True)
    images = np.random.default_rng(1).integers(0, 256, images.shape, dtype=np.uint8)
    figure = plot_sample_sheet(images, table, seed=0)
    ticks = [tick.get_text() for axes in figure.axes for tick in axes.get_yticklabels()]
    assert sorted(ticks) == sorted(SYMBOLS)
    same, other = (plot_sample_sheet(images, table, seed) for seed in (0, 1))
    assert (canvas(figure) == canvas(same)).all()
    assert (canvas(figure) != canvas(other)).any()


def test_sample_sheet_gives_letters_of_unknown_case_a_row_of_their_own():
    images, table = make_samples()
    table["is_uppercase"] = pd.array([None] * len(table), dtype="boolean")
    figure = plot_sample_sheet(images, table, seed=0)
    ticks = [tick.get_text() for axes in figure.axes for tick in axes.get_yticklabels()]
    assert "Ґґ" in ticks
    assert "ґ" not in ticks


def test_ink_statistics_measure_the_pen():
    images = np.zeros((50, 28, 28), np.uint8)
    images[:, 4:24, 10:13] = 255  # a bar of 3 x 20 pixels
    table = make_samples("paper")[1][:50].assign(rel_height=np.float32(0.5))
    written = texts(plot_ink_statistics(images, table))
    assert "median 0.08" in written  # 60 of 784 pixels
    assert "median 0.15" in written  # 3 wide, 20 high
    assert "median 0.50" in written
    stroke = [text for text in written if text.startswith("median 2.")]
    assert len(stroke) == 1
    assert 2.4 < float(stroke[0].split()[1]) < 3.0


def test_class_counts_write_each_count():
    _, table = make_samples("paper")
    table = pd.concat([table, table[table["label"] == "ґ"]])
    figure = plot_class_counts(table)
    rows = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    assert rows == ["paper, digits", "paper, lower case", "paper, upper case"]
    assert texts(figure).count("2") >= 2


@pytest.mark.parametrize("plot", [plot_ink_statistics, lambda i, t: plot_sample_sheet(i, t, 0)])
def test_images_and_rows_must_agree(plot):
    images, table = make_samples()
    with pytest.raises(TableError, match=f"each of {len(table)} rows, got 3"):
        plot(images[:3], table)


def test_colours_are_stable_for_the_same_corpora():
    assert style.corpus_colours(["b", "a"]) == style.corpus_colours(["a", "b", "a"])
    assert len(set(style.PALETTE)) == len(style.PALETTE)


def test_roc_names_the_hardest_labels_and_their_areas():
    shown = "\n".join(texts(plot_roc(ALL_LABELS)))
    assert "hardest: з, area 0." in shown
    assert "all labels (macro), area 0.9" in shown
    assert "Upper case against lower" in shown


def test_risk_is_told_at_90_percent_coverage():
    predictions = make_predictions(*[("а", None, "а", 0.5)] * 9, ("а", None, "б", 0.5))
    predictions["label_probability"] = [0.9] * 9 + [0.5]
    assert "paper: 0.00 % misread at 90 %" in texts(plot_risk_coverage(predictions))
    predictions["label_probability"] = [0.5] * 9 + [0.9]
    assert "paper: 11.11 % misread at 90 %" in texts(plot_risk_coverage(predictions))


def test_robustness_has_a_panel_for_each_shift_that_begins_undisturbed():
    figure = plot_robustness(pd.concat([make_robustness(), make_robustness("strokes")]))
    assert render(figure).std() > 5
    [panel, *_] = [axes for axes in figure.axes if axes.get_title(loc="left")]
    assert panel.get_title(loc="left") == "Noise, deviation in grey levels"
    assert [text.get_text() for text in panel.get_xticklabels()] == ["none", "10", "50"]
    assert list(panel.lines[0].get_ydata()) == [0.9, 0.8, 0.4]
    assert any("strokes (synthetic)" in text for text in texts(figure))


def test_robustness_of_nothing_says_so():
    figure = plot_robustness(make_robustness()[:1])
    assert "nothing was disturbed" in texts(figure)
