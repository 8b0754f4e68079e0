import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from bukva.tasks.glyph.learner import calibrate_labels, fit_symbol_threshold
from bukva.tasks.glyph.trained import predict_logits


class Fixed(nn.Module):
    """Answers from the first pixels of an image: logits that a test can choose."""

    def __init__(self, sharpness: float) -> None:
        super().__init__()
        self.label_head = nn.Linear(3, 3)
        with torch.no_grad():
            self.label_head.weight.copy_(torch.eye(3) * sharpness)
            self.label_head.bias.zero_()

    def forward(self, images_B1HW, page_BF):
        return self.label_head(images_B1HW[:, 0, 0, :3]), page_BF[:, 0]


@pytest.fixture
def valid(drawn_samples):
    """Return samples whose true logits are the ink of three pixels, times four."""
    rng = np.random.default_rng(0)
    images_NHW = np.zeros((4000, 28, 28), np.uint8)
    images_NHW[:, 0, :3] = rng.integers(0, 256, (4000, 3))
    logits_NK = 4.0 * images_NHW[:, 0, :3] / 255.0
    chances_NK = np.exp(logits_NK) / np.exp(logits_NK).sum(axis=1, keepdims=True)
    labels_N = (rng.random((4000, 1)) > chances_NK.cumsum(axis=1)).sum(axis=1)
    return dataclasses.replace(
        drawn_samples,
        images_NHW=images_NHW,
        page_NF=np.zeros((4000, 4), np.float32),
        labels_N=labels_N,
        uppercase_N=np.full(4000, np.nan, np.float32),
        weights_N=np.ones(4000),
    )


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_temperature_that_was_hidden_is_found_and_taken_out(valid, temperature):
    network = Fixed(4.0 * temperature)
    before = predict_logits(network, valid.images_NHW, valid.page_NF).label_NK
    assert calibrate_labels(network, valid) == pytest.approx(temperature, rel=0.15)
    after = predict_logits(network, valid.images_NHW, valid.page_NF).label_NK
    assert (before.argmax(1) == after.argmax(1)).all()
    assert calibrate_labels(network, valid) == pytest.approx(1.0, abs=0.01)


def test_samples_count_by_their_weights(valid):
    wrong_N = np.roll(valid.labels_N, 1)
    is_counted_N = np.arange(4000) < 2000
    mixed = dataclasses.replace(
        valid,
        labels_N=np.where(is_counted_N, valid.labels_N, wrong_N),
        weights_N=is_counted_N.astype(np.float64),
    )
    assert calibrate_labels(Fixed(4.0), mixed) == pytest.approx(1.0, rel=0.15)


class SaysSymbol(nn.Module):
    """Gives all 44 classes, the last one by the first pixel: bright is no symbol."""

    def forward(self, images_B1HW, page_BF):
        logits_BC = torch.zeros(len(images_B1HW), 44)
        logits_BC[:, -1] = 20 * images_B1HW[:, 0, 0, 0] - 10
        return logits_BC, page_BF[:, 0]


def test_the_threshold_keeps_the_share_of_the_symbols(valid):
    is_symbol_N = np.arange(4000) < 2000
    samples = dataclasses.replace(valid, labels_N=np.where(is_symbol_N, 5, 43))
    network = SaysSymbol()
    threshold = fit_symbol_threshold(network, samples, kept_share=0.9)
    logits = predict_logits(network, valid.images_NHW[:2000], valid.page_NF[:2000]).label_NK
    kept = 43 / (43 + np.exp(logits[:, -1])) >= threshold - 1e-6
    assert kept.mean() == pytest.approx(0.9, abs=0.01)


def test_without_samples_of_no_symbol_nothing_is_refused(valid):
    samples = dataclasses.replace(valid, labels_N=np.full(4000, 5))
    assert fit_symbol_threshold(SaysSymbol(), samples, kept_share=0.9) == 0.0


def test_samples_of_no_symbol_do_not_sway_the_temperature(valid):
    outliers_N = np.arange(4000) >= 2000
    mixed = dataclasses.replace(valid, labels_N=np.where(outliers_N, 43, valid.labels_N))
    assert calibrate_labels(Fixed(4.0), mixed) == pytest.approx(1.0, rel=0.15)
