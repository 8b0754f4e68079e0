"""A network learns lines by heart; batches are of like widths; a killed training goes on."""

import numpy as np
import pytest
import torch
from small_reader import DATA, SMALL, Samples
from training_runs import MemoryStore, assert_same_weights

from bukva.core.samples import of_split
from bukva.core.training.fit import FitResult, fit
from bukva.errors import TrainingError
from bukva.tasks.line.charset import normalise
from bukva.tasks.line.learner import LineLearner, Validation, ctc_loss
from bukva.tasks.line.lines import Lines
from bukva.tasks.line.networks import FromPixels
from bukva.tasks.line.training import Source, Trained, build_network, chances_of, restore
from bukva.tasks.line.training_parameters import TrainingParameters, VariationParameters
from bukva.tasks.line.variation import vary


def make_learner(samples: Samples, source: Source, parameters: TrainingParameters) -> LineLearner:
    table, images_NHW = of_split(*samples, "train")
    inks = [image[:, :width] for image, width in zip(images_NHW, table["width_px"], strict=True)]
    texts = tuple(normalise(text) for text in table["text"])
    lines = Lines.of(inks, [source.charset.encode(text) for text in texts])
    return LineLearner(
        lines, Validation(lines, texts), source.charset, source.to_maker(), parameters,
        np.ones(len(lines)), made_of=source.digest(),
    )  # fmt: skip


def fit_small(samples: Samples, source: Source, store: MemoryStore | None = None) -> FitResult:
    few = {"max_epochs": 3, "steps_per_epoch": 3, "synthetic": (0.5, 0.25)}
    parameters = SMALL.model_copy(update=few)
    torch.manual_seed(1)
    network = build_network(parameters, source.charset)
    return fit(network, make_learner(samples, source, parameters), parameters, checkpoints=store)


def test_lines_are_learnt_by_heart(trained: Trained) -> None:
    history = trained.history
    assert history["valid_cer"].iloc[0] > 0.5
    assert history["valid_cer"].iloc[-1] < 0.1
    assert {"valid_loss", "valid_wer", "train_loss"} <= set(history)


def test_kept_weights_are_the_network_that_answers(trained: Trained, samples: Samples) -> None:
    network, recogniser = FromPixels(restore(trained.weights)).eval(), trained.recogniser
    for width in (16, 100, 432, 1536):  # of no example that was exported
        ink_hw = np.resize(samples[1][0], (48, width))
        with torch.inference_mode():
            ours_TK = network(torch.tensor(ink_hw)[None]).log_softmax(dim=2)[0].numpy()
        theirs_TK = recogniser.log_probabilities(ink_hw)
        assert theirs_TK.shape == (width // 4, len(recogniser.charset))
        np.testing.assert_allclose(ours_TK, theirs_TK, atol=1e-3)


def test_batches_are_of_like_widths_and_made_lines_become_fewer(
    samples: Samples, source: Source
) -> None:
    parameters = SMALL.model_copy(update={"synthetic": (0.75, 0.25), "max_epochs": 3})
    learner = make_learner(samples, source, parameters)
    made = []
    for epoch in (1, 2, 3):
        plan_SB = learner.plan_epoch(epoch, 6, 8, torch.Generator().manual_seed(epoch))
        assert plan_SB.shape == (6, 8)
        made.append(int((plan_SB >= 8).sum()))
        widths_SB = [learner._gather(row_B).widths_B.float() for row_B in plan_SB]
        within = float(np.mean([row_B.std() for row_B in widths_SB]))
        assert within < 0.7 * float(torch.cat(widths_SB).std())
    assert made == [36, 24, 12]


def test_all_lines_of_an_epoch_may_be_made(samples: Samples, source: Source) -> None:
    learner = make_learner(samples, source, SMALL.model_copy(update={"synthetic": (1, 1)}))
    plan_SB = learner.plan_epoch(1, 2, 4, torch.Generator().manual_seed(1))
    assert sorted(plan_SB.flatten().tolist()) == list(range(8, 16))


def test_a_batch_holds_what_was_asked_for_in_its_order(samples: Samples, source: Source) -> None:
    learner = make_learner(samples, source, SMALL)
    table, images_NHW = of_split(*samples, "train")
    batch = learner._gather(torch.tensor([5, 2]))
    assert batch.widths_B.tolist() == table["width_px"].iloc[[5, 2]].tolist()
    first = table["width_px"].iloc[5]
    np.testing.assert_allclose(
        batch.ink_B1HW[0, 0, :, :first].numpy(), images_NHW[5][:, :first] / 255, atol=1e-6
    )
    text = normalise(table["text"].iloc[5])
    assert batch.labels_L[: len(text)].tolist() == source.charset.encode(text)


def test_a_killed_training_goes_on_to_the_same_weights(samples: Samples, source: Source) -> None:
    whole = fit_small(samples, source)
    killed, store = MemoryStore(saves_until_killed=1), MemoryStore()
    with pytest.raises(KeyboardInterrupt):
        fit_small(samples, source, killed)
    store.kept = killed.kept
    assert_same_weights(fit_small(samples, source, store), whole)
    assert len(store.states) == 2  # the first epoch was not trained again


def test_the_epoch_with_the_lowest_error_rate_is_kept(samples: Samples, source: Source) -> None:
    [phase] = make_learner(samples, source, SMALL).phases
    assert phase.watched == "valid_cer"


def test_other_texts_are_another_training(samples: Samples, source: Source) -> None:
    digests = make_learner(samples, source, SMALL).digests()
    assert digests == make_learner(samples, source, SMALL).digests()
    other = source._replace(texts=source.texts.iloc[1:])
    assert digests != make_learner(samples, other, SMALL).digests()


def test_a_line_too_narrow_for_its_text_has_no_share_in_the_loss() -> None:
    lines = Lines.of([np.zeros((48, 8), np.uint8)] * 2, [[1, 2, 3, 4], [1]])
    logits_BTK = torch.zeros((2, 2, 6))
    loss, alone = (ctc_loss(logits_BTK[:count], lines.batch(chosen))
                   for count, chosen in ((2, [0, 1]), (1, [1])))  # fmt: skip
    assert float(loss) * 5 == pytest.approx(float(alone))


def test_nothing_to_learn_from_is_named(samples: Samples, source: Source) -> None:
    none = Lines.of([], [])
    with pytest.raises(TrainingError, match="0 and 0"):
        LineLearner(none, Validation(none, ()), source.charset, None, SMALL, np.ones(0))


def test_a_collection_of_four_times_the_lines_is_drawn_twice_as_often(samples: Samples) -> None:
    table = samples[0].iloc[:5].assign(collection=["large"] * 4 + ["small"])
    chances_N = chances_of(table)
    assert chances_N[:4].sum() / chances_N[4] == pytest.approx(2.0)


def test_variation_is_seeded_stays_ink_and_changes_widths(samples: Samples) -> None:
    ink = torch.tensor(samples[1][:8])[:, None] / 255
    widths_B = torch.tensor(samples[0]["width_px"].iloc[:8].tolist())
    parameters = VariationParameters()
    (one, widths), (other, _) = (
        vary(ink, widths_B, torch.Generator().manual_seed(5), parameters) for _ in range(2)
    )
    assert torch.equal(one, other)
    assert 0 <= float(one.min()) <= float(one.max()) <= 1
    assert one.shape[3] % 4 == 0
    assert one.shape[3] >= int(widths.max())
    stretch = widths / widths_B
    assert 0.74 < float(stretch.min()) < float(stretch.max()) < 1.27


def test_without_variation_a_line_stays_what_it_is(samples: Samples) -> None:
    ink = torch.tensor(samples[1][:3])[:, None] / 255
    widths_B = torch.full((3,), ink.shape[3])
    same, widths = vary(ink, widths_B, torch.Generator().manual_seed(5), SMALL.variation)
    assert torch.equal(widths, widths_B)
    torch.testing.assert_close(same, ink, atol=2e-3, rtol=0)


def test_the_file_says_how_it_was_made(trained: Trained) -> None:
    spec = trained.recogniser.spec
    assert spec["task"] == "line"
    assert spec["preprocessing"]["height"] == 48
    assert spec["parameters"]["training"]["width"] == SMALL.width
    assert spec["language_model"]["corpora"] == ["own_text"]
    assert DATA.synthesis.charset == "ukrainian"
