import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
import torch
from training_runs import MemoryStore, assert_same_weights, make_network

from bukva.core.training.checkpoint import unpack
from bukva.core.training.optimisation import Progress
from bukva.errors import NonFiniteLossError, ParameterError, TrainingError
from bukva.tasks.glyph.learner import GlyphLearner
from bukva.tasks.glyph.parameters import AugmentationParameters, TrainingParameters
from bukva.tasks.glyph.trained import predict_logits
from bukva.tasks.glyph.training_samples import GlyphSamples

NO_VARIATION = dict.fromkeys(AugmentationParameters.model_fields, 0) | {"elastic_nodes": 2}


def take(samples: GlyphSamples, rows: slice) -> GlyphSamples:
    fields = dataclasses.fields(samples)
    return GlyphSamples(**{field.name: getattr(samples, field.name)[rows] for field in fields})


def test_one_batch_is_learnt_by_heart(run_fit, drawn_samples):
    batch = take(drawn_samples, slice(0, None, 5))
    network = make_network(width=12)
    result = run_fit(
        network=network,
        samples=batch,
        width=12,
        dropout=0.0,
        head_epochs=0,
        max_epochs=1,
        steps_per_epoch=120,
        batch_size=len(batch),
        learning_rate=0.01,
        label_smoothing=0.0,
        augmentation=NO_VARIATION,
    )
    last = result.history.iloc[-1]
    assert last["valid_loss"] < 0.05
    assert last["valid_label_accuracy"] == last["valid_case_accuracy"] == 1.0
    # What is kept is what was measured.
    logits = predict_logits(network, batch.images_NHW, batch.page_NF)
    np.testing.assert_array_equal(logits.label_NK.argmax(1), batch.labels_N)


def test_the_same_seed_gives_the_same_weights(run_fit):
    assert_same_weights(run_fit(), run_fit())


def test_another_seed_gives_other_weights(run_fit):
    one, other = run_fit(seed=1), run_fit(seed=2)
    assert not np.array_equal(one.weights["label_head.weight"], other.weights["label_head.weight"])


def test_who_calls_keeps_the_state_of_torch(run_fit):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first = run_fit(max_epochs=1)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(6)
    assert_same_weights(first, run_fit(max_epochs=1))


def test_the_history_tells_each_epoch(run_fit):
    history = run_fit().history
    assert list(history["epoch"]) == [1, 2, 3, 4, 5]
    assert list(history["phase"]) == ["heads", "heads", "all", "all", "all"]
    assert list(history.columns) == [
        "epoch",
        "phase",
        "learning_rate",
        "train_loss",
        "valid_loss",
        "valid_label_accuracy",
        "valid_case_accuracy",
        "seconds",
    ]
    assert np.isfinite(history[["train_loss", "valid_loss", "seconds"]]).all(axis=None)
    assert history[["valid_label_accuracy", "valid_case_accuracy"]].stack().between(0, 1).all()


def test_each_epoch_is_shown_as_it_ends(run_fit):
    shown = []
    history = run_fit(on_epoch=shown.append).history
    pd.testing.assert_frame_equal(pd.DataFrame(shown), history)


def test_the_heads_alone_leave_the_weights_of_the_backbone(run_fit):
    network = make_network()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    store = MemoryStore(saves_until_killed=2)
    with pytest.raises(KeyboardInterrupt):
        run_fit(store, network)
    after = network.state_dict()
    weights = {name for name, _ in network.named_parameters()}
    changed = {name for name in weights if not torch.equal(after[name], before[name])}
    assert changed == {name for name in weights if not name.startswith("backbone.")}


def test_the_batch_norms_of_a_backbone_held_still_follow_the_new_images(run_fit):
    network = make_network()
    before = {name: value.clone() for name, value in network.named_buffers()}
    with pytest.raises(KeyboardInterrupt):
        run_fit(MemoryStore(saves_until_killed=2), network)
    moved = {
        name for name, value in network.named_buffers() if not torch.equal(value, before[name])
    }
    assert moved == set(before)


def test_everything_is_trained_after_the_heads(run_fit):
    store, network = MemoryStore(), make_network()
    before = {name: value.clone() for name, value in network.named_parameters()}
    run_fit(store, network)
    assert all(weight.requires_grad for weight in network.parameters())
    last = unpack(store.states[-1])["optimisation"]["network"]
    assert not any(torch.equal(last[name], value) for name, value in before.items())


def test_a_phase_stops_where_validation_stands_still(run_fit):
    # Steps too small to be seen in the averaged weights: nothing gets better after the first.
    history = run_fit(
        learning_rate=1e-30, weight_decay=0.0, patience_epochs=2, max_epochs=9, head_epochs=9
    ).history
    per_phase = history.groupby("phase", sort=False).size()
    assert per_phase["heads"] < 9
    assert per_phase["all"] < 9
    assert history["valid_loss"].idxmin() <= len(history) - 3


def test_what_is_kept_is_the_best_epoch(run_fit, drawn_samples, settings):
    network = make_network()
    history = run_fit(network=network).history
    parameters = TrainingParameters.model_validate(settings)
    learner = GlyphLearner(drawn_samples, drawn_samples, parameters)
    learner.to(torch.device("cpu"))
    measured = learner.validate(network)
    best = history.loc[history["valid_loss"].idxmin()]
    assert measured["valid_loss"] == pytest.approx(best["valid_loss"], rel=1e-6)
    assert measured["valid_label_accuracy"] == best["valid_label_accuracy"]


def test_a_worse_epoch_leaves_the_kept_weights():
    progress, network = Progress(), torch.nn.Linear(1, 1, bias=False)
    for loss, weight in ((3.0, 30.0), (1.0, 10.0), (2.0, 20.0), (1.0, 11.0)):
        network.weight.data.fill_(weight)
        progress.record({"valid_loss": loss}, network)
    assert progress.best_weights["weight"].item() == 10.0
    assert (progress.best_loss, progress.epochs_since_best) == (1.0, 2)


def test_a_plateau_lowers_the_rate(run_fit):
    history = run_fit(
        schedule="plateau",
        learning_rate=1e-30,
        weight_decay=0.0,
        patience_epochs=6,
        head_epochs=0,
        max_epochs=9,
    ).history
    assert history["learning_rate"].iloc[0] == 1e-30
    assert history["learning_rate"].iloc[-1] == pytest.approx(1e-31)


def test_one_cycle_warms_up_and_cools_down(run_fit):
    rates = run_fit(head_epochs=0, max_epochs=6, learning_rate=0.01).history["learning_rate"]
    assert rates.iloc[0] == pytest.approx(0.01 / 25)
    assert rates.max() == pytest.approx(0.01, rel=0.2)
    assert rates.iloc[-1] < rates.max() / 2


def test_a_loss_that_is_no_number_names_epoch_step_and_rate(run_fit):
    with pytest.raises(NonFiniteLossError, match=r"epoch 1, step 2, at learning rate [\d.]+e\+29"):
        run_fit(learning_rate=1e30)


def test_broken_weights_are_seen_in_the_first_step(run_fit):
    network = make_network()
    network.label_head.weight.data[0] = math.inf
    with pytest.raises(NonFiniteLossError, match=r"got (nan|inf) in epoch 1, step 1"):
        run_fit(network=network)


def test_a_loss_lost_in_the_last_step_of_an_epoch_is_seen_in_validation(run_fit):
    with pytest.raises(NonFiniteLossError, match="in epoch 1, validation after step 1"):
        run_fit(learning_rate=1e30, steps_per_epoch=1, head_epochs=0, max_epochs=1)


@pytest.mark.parametrize("empty", ["train", "valid"])
def test_nothing_to_learn_from_is_refused(drawn_samples, empty, settings):
    nothing = take(drawn_samples, slice(0, 0))
    train, valid = (nothing, drawn_samples) if empty == "train" else (drawn_samples, nothing)
    with pytest.raises(TrainingError, match="Expected samples to train and validate on"):
        GlyphLearner(train, valid, TrainingParameters.model_validate(settings))


@pytest.mark.skipif(torch.cuda.is_available(), reason="asks for a machine without a GPU")
def test_a_gpu_that_is_not_there_is_named(run_fit):
    with pytest.raises(ParameterError, match="Expected a GPU for device=cuda"):
        run_fit(device="cuda")


def test_digits_alone_have_no_case_accuracy(run_fit, drawn_samples):
    digits = take(drawn_samples, slice(0, 20))
    history = run_fit(samples=digits, max_epochs=1).history
    assert history["valid_case_accuracy"].isna().all()
    assert history["valid_loss"].notna().all()


def test_the_kept_weights_are_the_averaged_ones(run_fit):
    plain = run_fit(head_epochs=0, max_epochs=1, ema_decay=0.0)
    averaged = run_fit(head_epochs=0, max_epochs=1, ema_decay=0.9)
    name = "label_head.weight"
    assert not np.array_equal(plain.weights[name], averaged.weights[name])
    # Training itself goes the same way: only what is kept differs.
    pd.testing.assert_series_equal(plain.history["train_loss"], averaged.history["train_loss"])
