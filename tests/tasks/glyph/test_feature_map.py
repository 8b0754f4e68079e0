import pytest
import torch
from torch import nn

from bukva.core.training.device import seeded
from bukva.tasks.glyph.feature_map import cut_at_map
from bukva.tasks.glyph.networks import build_network

# Channels and places of the last feature map at width 4.
MAPS = {
    "glyph_cnn": (16, 7, 7),
    "glyph_lean": (12, 4, 4),
    "glyph_resnet": (16, 7, 7),
    "lenet": (10, 5, 5),
    "peer_cnn": (8, 7, 7),
}


def make(name):
    with seeded(1):
        return build_network(name, 43, width=4).eval()


@pytest.mark.parametrize("name", MAPS)
def test_a_network_is_cut_at_its_last_map_and_answers_as_before(name):
    network, batch = make(name), (torch.rand(3, 1, 28, 28), torch.rand(3, 4))
    mapped, shapes = cut_at_map(network), []
    mapped.map_layer.register_forward_hook(lambda *call: shapes.append(tuple(call[-1].shape)))
    with torch.no_grad():
        for found, expected in zip(mapped(*batch), network(*batch), strict=True):
            torch.testing.assert_close(found, expected)
    assert shapes[0] == (3, *MAPS[name])


def test_a_perceptron_has_no_map():
    assert cut_at_map(make("mlp")) is None


def test_what_is_no_network_of_ours_has_none_that_we_know_of():
    assert cut_at_map(nn.Conv2d(1, 1, 3)) is None
