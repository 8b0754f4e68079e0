import io

import numpy as np
import pandas as pd
from PIL import Image

from bukva.tasks.glyph.collection import collect_samples
from bukva.tasks.glyph.figures.samples import plot_raw_samples


def test_each_corpus_shows_its_samples_as_found_and_as_seen(drawn_pages):
    corpora = {"paper": lambda: iter(drawn_pages[:30]), "strokes": lambda: iter(drawn_pages[30:40])}
    collection = collect_samples(corpora, {}, 0.0)
    figure = plot_raw_samples(collection.raw, collection.table, collection.images_NHW)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["paper", "strokes (synthetic)"]
    canvas = np.asarray(figure.axes[0].images[0].get_array())
    [first, *_] = collection.raw["image"]
    page = Image.open(io.BytesIO(first))
    np.testing.assert_array_equal(canvas[:96, :96], np.asarray(page.resize((96, 96))))
    frame = 255 - collection.images_NHW[0]
    # 96 px are no whole number of 28: compare where the tones are.
    shown = np.asarray(Image.fromarray(canvas[102:198, :96]).resize((28, 28), Image.Resampling.BOX))
    assert np.corrcoef(shown.ravel(), frame.ravel())[0, 1] > 0.95
    assert len(figure.axes[0].get_xticks()) == 14


def test_without_samples_the_figure_says_so():
    raw = pd.DataFrame({"sample_id": [], "image": []}, dtype="str")
    table = pd.DataFrame({"sample_id": [], "corpus": []}, dtype="str")
    figure = plot_raw_samples(raw, table, np.zeros((0, 28, 28), np.uint8))
    assert "no samples" in [text.get_text() for text in figure.axes[0].texts]
