"""Maps of a network that was taught what to look at: a dot tells its label, a bar its case."""

from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import nn

from bukva.core.training.device import seeded
from bukva.tasks.glyph.evaluation.saliency import (
    PATCH_PX,
    explain_labels,
    grad_cam,
    occlusion,
    target_cases,
    target_labels,
)
from bukva.tasks.glyph.learner import glyph_loss
from bukva.tasks.glyph.networks import MeanMaxPool, TwoHeadedNetwork, convolve
from bukva.tasks.glyph.trained import predict_logits, to_batch

CLASSES = "ґг"  # with a dot, and without
CORNERS = [(5, 5), (5, 22), (22, 5), (22, 22)]


class Drawings(NamedTuple):
    """Images with a ring in the middle, which says nothing; dot and bar in different corners."""

    images_NHW: np.ndarray
    page_NF: np.ndarray
    has_dot_N: np.ndarray
    has_bar_N: np.ndarray
    dots_N2: np.ndarray
    bars_N2: np.ndarray


def draw(count, seed, *, dots=None, bars=None):
    rng = np.random.default_rng(seed)
    images_NHW = np.zeros((count, 28, 28), dtype=np.uint8)
    images_NHW[:, 9:19, 9:19] = 200
    images_NHW[:, 11:17, 11:17] = 0
    has_dot_N, has_bar_N = (
        rng.random(count) < 0.5 if given is None else np.full(count, given)
        for given in (dots, bars)
    )
    chosen = np.array([rng.permutation(4)[:2] for _ in range(count)])
    dots_N2, bars_N2 = np.array(CORNERS)[chosen.T] + rng.integers(-1, 2, (2, count, 2))
    for image_HW, has_dot, has_bar, (y, x), (v, u) in zip(
        images_NHW, has_dot_N, has_bar_N, dots_N2, bars_N2, strict=True
    ):
        if has_dot:
            image_HW[y - 2 : y + 3, x - 2 : x + 3] = 255
        if has_bar:
            image_HW[v : v + 2, u - 4 : u + 5] = 255
    page_NF = np.full((count, 4), np.nan, dtype=np.float32)
    return Drawings(images_NHW, page_NF, has_dot_N, has_bar_N, dots_N2, bars_N2)


def make_small_network():
    """It sees ten pixels at a time, so that where it looks is plain; taught in a second."""
    backbone = nn.Sequential(
        convolve(1, 8),
        nn.MaxPool2d(2),
        convolve(8, 16),
        nn.MaxPool2d(2),
        MeanMaxPool(),
    )
    return TwoHeadedNetwork(backbone, 32, 24, len(CLASSES), page_features=4, dropout=0.0)


@pytest.fixture(scope="module")
def taught():
    with seeded(1):
        network = make_small_network().train()
        # Few steps are taken, so that means of former batches would lag behind.
        for module in network.modules():
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                module.momentum = 0.5
        optimiser = torch.optim.Adam(network.parameters(), lr=0.01)
        for step in range(60):
            drawn = draw(32, seed=step)
            batch = to_batch(
                torch.tensor(drawn.images_NHW), torch.tensor(drawn.page_NF), torch.device("cpu")
            )
            labels = torch.tensor(np.where(drawn.has_dot_N, 0, 1))
            loss = glyph_loss(*network(*batch), labels, torch.tensor(drawn.has_bar_N).float())
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return network.eval()


@pytest.fixture(scope="module")
def marked():
    """Drawings that have both, dot and bar."""
    return draw(40, seed=1000, dots=True, bars=True)


def probabilities(network, images_NHW, page_NF):
    """Of the dot's label, and of the bar's case."""
    logits = predict_logits(network, images_NHW, page_NF)
    label_NK = torch.tensor(logits.label_NK).softmax(dim=1).numpy()
    return label_NK[:, 0], torch.tensor(logits.case_N).sigmoid().numpy()


def peaks_of(maps_NHW):
    """The middle of the place with the largest value, in pixels of the image."""
    count, height, width = maps_NHW.shape
    rows, columns = np.unravel_index(maps_NHW.reshape(count, -1).argmax(1), (height, width))
    return np.stack([(rows + 0.5) * 28 / height, (columns + 0.5) * 28 / width], axis=1)


def share_near(peaks_N2, places_N2, reach_px=7):
    return (np.abs(peaks_N2 - places_N2).max(axis=1) <= reach_px).mean()


def ask(network, drawn, way, head):
    count = len(drawn.images_NHW)
    targets_N = (
        target_labels(["ґ"] * count, CLASSES) if head == "label"
        else target_cases([True] * count, CLASSES)
    )  # fmt: skip
    return way(network, drawn.images_NHW, drawn.page_NF, targets_N)


def test_it_was_taught(taught, marked):
    dot_N, bar_N = probabilities(taught, marked.images_NHW, marked.page_NF)
    assert min(dot_N.mean(), bar_N.mean()) > 0.9
    plain = draw(40, seed=1001, dots=False, bars=False)
    dot_N, bar_N = probabilities(taught, plain.images_NHW, plain.page_NF)
    assert max(dot_N.mean(), bar_N.mean()) < 0.1


@pytest.mark.parametrize("way", [grad_cam, occlusion])
def test_a_map_lies_on_the_ink_that_tells_what_was_asked(taught, marked, way):
    label_peaks = peaks_of(ask(taught, marked, way, "label"))
    case_peaks = peaks_of(ask(taught, marked, way, "case"))
    assert share_near(label_peaks, marked.dots_N2) > 0.9
    assert share_near(case_peaks, marked.bars_N2) > 0.9
    # There are four corners: neither of them lies where the other is.
    assert share_near(label_peaks, marked.bars_N2) < 0.1
    assert share_near(case_peaks, marked.dots_N2) < 0.1


@pytest.mark.parametrize("way", [grad_cam, occlusion])
def test_deleting_what_matters_most_costs_more_than_deleting_anything(taught, marked, way):
    rng = np.random.default_rng(0)
    peaks = peaks_of(ask(taught, marked, way, "label"))
    anywhere = rng.uniform(0, 28, peaks.shape)

    def after_deleting(places_N2):
        images_NHW = marked.images_NHW.copy()
        for image_HW, (y, x) in zip(images_NHW, places_N2.astype(int), strict=True):
            image_HW[max(0, y - 4) : y + 5, max(0, x - 4) : x + 5] = 0
        return probabilities(taught, images_NHW, marked.page_NF)[0].mean()

    assert after_deleting(peaks) < after_deleting(anywhere) - 0.3


def test_grad_cam_has_the_size_of_the_last_map_and_is_never_negative(taught, marked):
    maps_Nhw = ask(taught, marked, grad_cam, "label")
    assert maps_Nhw.shape == (40, 7, 7)
    assert maps_Nhw.dtype == np.float32
    assert maps_Nhw.min() == 0 < maps_Nhw.max()


def test_occlusion_is_by_how_much_the_probability_falls(taught, marked):
    falls_NHW = ask(taught, marked, occlusion, "label")
    whole_N, _ = probabilities(taught, marked.images_NHW, marked.page_NF)
    covered_NHW = marked.images_NHW.copy()
    covered_NHW[:, :PATCH_PX, :PATCH_PX] = 0
    covered_N, _ = probabilities(taught, covered_NHW, marked.page_NF)
    # The corner's pixel lies under one patch only.
    np.testing.assert_allclose(falls_NHW[:, 0, 0], whole_N - covered_N, atol=1e-5)


def test_lower_case_is_the_opposite_of_upper_case(taught, marked):
    upper, lower = (
        occlusion(taught, marked.images_NHW, marked.page_NF, target_cases([is_upper] * 40, CLASSES))
        for is_upper in (True, False)
    )
    np.testing.assert_allclose(upper, -lower, atol=1e-5)


def test_a_network_without_a_feature_map_has_occlusion_only(make_model, drawn_samples):
    images_NHW, page_NF = drawn_samples.images_NHW[:3], drawn_samples.page_NF[:3]
    assert explain_labels(make_model(), images_NHW, page_NF, ["а", "б", "7"]).keys() == {
        "Grad-CAM", "occlusion",
    }  # fmt: skip
    [(name, maps)] = explain_labels(
        make_model(network_name="mlp"), images_NHW, page_NF, ["а", "б", "7"]
    ).items()
    assert (name, maps.shape) == ("occlusion", (3, 28, 28))


def test_of_no_image_nothing_is_asked(random_model, drawn_samples):
    nothing = drawn_samples.images_NHW[:0], drawn_samples.page_NF[:0]
    assert explain_labels(random_model, *nothing, []) == {}
