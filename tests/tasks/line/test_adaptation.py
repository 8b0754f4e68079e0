"""A network that knows eight lines by heart learns others of one hand, with a new character."""

import numpy as np
import pandas as pd
import pytest
import torch
from line_corpora import draw_page
from small_reader import SMALL
from small_reader import Samples as Known

from bukva.core.imaging.decoding import decode_image
from bukva.core.networks import NetworkWeights
from bukva.errors import CharsetError, ModelFormatError, TrainingError
from bukva.tasks.line.adaptation import Samples, Start, adapt, choose_settings, grow, grow_charset
from bukva.tasks.line.collection import stack
from bukva.tasks.line.evaluation.before_after import read_twice, score_gain, to_table
from bukva.tasks.line.framing import frame_line
from bukva.tasks.line.language_model import LanguageModel
from bukva.tasks.line.networks import FromPixels
from bukva.tasks.line.training import Source, Trained, restore
from bukva.tasks.line.training_parameters import AdaptationParameters

TEXTS = ("коза №7", "ґанок ✓", "мій дім", "сіно ✓", "вечір", "дощ іде")
NEW = "✓"
PARAMETERS = AdaptationParameters(
    least_lines=6, own_share=0.6, made_share=0.1, measured_lines=4,
    training=SMALL.model_copy(update={"max_epochs": 4, "steps_per_epoch": 40}),
)  # fmt: skip


@pytest.fixture(scope="module")
def own() -> Samples:
    """Six lines, each in all three splits: what is tested is what was learnt."""
    images = [frame_line(decode_image(draw_page(text, 3))).ink_hw for text in TEXTS]
    rows = [
        (f"own/{split}-{place}", "own", "own", "line", f"{place}", None, text, split,
         image_HW.shape[1], None)
        for split in ("train", "valid", "test")
        for place, (text, image_HW) in enumerate(zip(TEXTS, images, strict=True))
    ]  # fmt: skip
    columns = ["sample_id", "corpus", "collection", "label", "group", "page", "text", "split",
               "width_px", "is_uppercase"]  # fmt: skip
    return Samples(pd.DataFrame(rows, columns=columns), stack(images * 3))


@pytest.fixture(scope="module")
def start(trained: Trained) -> Start:
    return Start(trained.recogniser, trained.weights)


@pytest.fixture(scope="module")
def adapted(own: Samples, start: Start, samples: Known, source: Source) -> Trained:
    return adapt(own, start, Samples(*samples), source, PARAMETERS)


def test_own_lines_are_learnt_and_others_not_forgotten(
    own: Samples, start: Start, adapted: Trained, samples: Known
) -> None:
    after = adapted.recogniser
    tested = {"own": own, "former": Samples(*samples)}
    scores = {}
    for scope, lines in tested.items():
        is_test = lines.table["split"].eq("test")
        read = read_twice(start.recogniser, after, lines.table[is_test],
                          lines.images_NHW[is_test.to_numpy()])  # fmt: skip
        scores |= score_gain(scope, *read, resamples=50)
        assert list(to_table(*read)["text"]) == list(lines.table.loc[is_test, "text"])
    assert scores["own.before.cer"] > 0.4
    assert scores["own.after.cer"] < 0.15
    assert scores["own.cer_lost"] > 0.6
    assert scores["former.after.cer"] < scores["former.before.cer"] + 0.1


def test_a_new_character_is_read(own: Samples, start: Start, adapted: Trained) -> None:
    place = TEXTS.index("ґанок ✓")
    ink_hw = own.images_NHW[place][:, : own.table["width_px"].iloc[place]]
    assert NEW not in start.recogniser.charset.characters
    assert NEW in adapted.recogniser.read_ink(ink_hw).text


def test_what_is_packaged_says_where_it_comes_from(start: Start, adapted: Trained) -> None:
    spec = adapted.recogniser.spec
    assert spec["charset"] == start.recogniser.spec["charset"] + NEW
    assert spec["adapted_from"] == start.recogniser.sha256
    assert spec["language_model"]["characters"] == spec["charset"]
    assert adapted.recogniser.language_model is not None
    again = Start(adapted.recogniser, adapted.weights)
    again.check()
    assert len(adapted.history) == 4


def test_a_grown_head_answers_as_before(start: Start, own: Samples) -> None:
    known = restore(start.weights)
    charset = start.recogniser.charset.extend("✓№→")
    settings = choose_settings(own.table, start, None, PARAMETERS)
    grown = grow(known, start.weights, charset, settings).eval()
    pixels = torch.tensor(own.images_NHW[:2])
    with torch.inference_mode():
        before, after = FromPixels(known).eval()(pixels), FromPixels(grown)(pixels)
    former = before.shape[2]
    assert after.shape[2] == len(charset)
    torch.testing.assert_close(after[..., :former], before)
    # At first a new character is a mean one: it is nowhere the likeliest.
    assert after.argmax(dim=2).max() < former


def test_settings_are_the_sizes_of_the_start_and_the_shares_that_were_asked_for(
    own: Samples, start: Start, samples: Known
) -> None:
    more = PARAMETERS.model_copy(
        update={"training": SMALL.model_copy(update={"width": 3, "steps_per_epoch": None})}
    )
    settings = choose_settings(own.table, start, Samples(*samples), more)
    assert (settings.width, settings.hidden) == (SMALL.width, SMALL.hidden)
    assert settings.synthetic == (0.1, 0.1)
    assert settings.steps_per_epoch == 12
    alone = choose_settings(own.table, start, None, more)
    assert alone.synthetic == pytest.approx((0.4, 0.4))


def test_characters_that_only_tests_have_are_not_added(start: Start) -> None:
    table = pd.DataFrame({"text": ["a→", "b@\x07"], "split": ["train", "test"]})
    grown = grow_charset(start.recogniser.charset, table)
    assert "→" in grown.characters
    assert not {"@", "\x07"} & set(grown.characters)


def test_too_few_lines_and_strange_weights_are_refused(
    own: Samples, start: Start, samples: Known, source: Source
) -> None:
    few = AdaptationParameters(training=SMALL)
    some = Samples(own.table.iloc[:3], own.images_NHW[:3])
    with pytest.raises(TrainingError, match="at least 16 lines"):
        adapt(some, start, None, source, few)
    other = NetworkWeights(start.weights.weights, {**start.weights.spec, "weights": 1})
    with pytest.raises(ModelFormatError, match="of one training"):
        adapt(own, Start(start.recogniser, other), None, source, PARAMETERS)


def test_a_language_model_goes_on_for_more_characters(start: Start) -> None:
    model = start.recogniser.language_model
    assert isinstance(model, LanguageModel)
    charset = start.recogniser.charset
    grown = model.extend(charset.extend("✓"))
    np.testing.assert_allclose(grown.row(0)[: len(charset)], model.row(0), atol=0.02)
    assert grown.row(0)[-1] == grown.row(0)[1:].min()
    with pytest.raises(CharsetError, match="at most 255"):
        model.extend(charset.extend(map(chr, range(0x4E00, 0x4F00))))
