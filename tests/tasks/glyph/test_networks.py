"""What every network must do; each is built narrow, and by its name."""

import math

import pytest
import torch

from bukva.core.training.device import seeded
from bukva.errors import ParameterError
from bukva.tasks.glyph.learner import glyph_loss
from bukva.tasks.glyph.networks import NETWORKS, build_network

# Weights at the default width with 43 labels, by hand from the layers' sizes.
WEIGHTS = {
    "glyph_cnn": 200_948,
    "glyph_lean": 448_236,
    "glyph_resnet": 294_560,
    "lenet": 67_740,
    "mlp": 273_732,
    "peer_cnn": 834_476 + 8_480,  # the peer's own, and what the page adds
}

every_network = pytest.mark.parametrize("name", NETWORKS)


def make(name, label_count=43, **sizes):
    with seeded(1):
        return build_network(name, label_count, **sizes)


def draw(batch, side=28):
    generator = torch.Generator().manual_seed(2)
    images = torch.rand((batch, 1, side, side), generator=generator)
    return images, torch.rand((batch, 4), generator=generator)


def count_weights(network):
    return sum(weight.numel() for weight in network.parameters())


@every_network
@pytest.mark.parametrize("label_count", [10, 43])
@pytest.mark.parametrize("batch", [1, 5])
def test_two_heads_answer_for_each_image(name, label_count, batch):
    labels, case = make(name, label_count, width=4).eval()(*draw(batch))
    assert labels.shape == (batch, label_count)
    assert case.shape == (batch,)
    assert labels.dtype == case.dtype == torch.float32


@every_network
@pytest.mark.parametrize("batch", [2, 5])
def test_training_takes_batches_from_two_on(name, batch):
    labels, case = make(name, width=4).train()(*draw(batch))
    assert (labels.shape, case.shape) == ((batch, 43), (batch,))


@every_network
def test_an_image_is_answered_alike_alone_and_among_others(name):
    network = make(name, width=4).eval()
    images, pages = draw(5)
    alone = [network(images[i : i + 1], pages[i : i + 1]) for i in range(5)]
    together = network(images, pages)
    for head in (0, 1):
        found = torch.cat([answer[head] for answer in alone])
        torch.testing.assert_close(found, together[head], rtol=1e-4, atol=1e-5)


@every_network
@pytest.mark.parametrize("unknown", [(0, 1), (2, 3), (0, 1, 2, 3)], ids=["size", "place", "page"])
def test_an_unknown_page_harms_neither_answers_nor_gradients(name, unknown):
    network = make(name, width=4).train()
    images, pages = draw(4)
    pages[:3, list(unknown)] = math.nan
    labels, case = network(images, pages)
    loss = glyph_loss(labels, case, torch.arange(4), torch.tensor([math.nan, 1.0, 0.0, 1.0]))
    loss.backward()
    assert torch.isfinite(labels).all()
    assert torch.isfinite(case).all()
    gradients = {name: weight.grad for name, weight in network.named_parameters()}
    assert all(torch.isfinite(gradient).all() for gradient in gradients.values())


@every_network
def test_an_unknown_page_is_not_the_page_of_zeros(name):
    network = make(name, width=4).eval()
    images, pages = draw(1)
    unknown = network(images, torch.full_like(pages, math.nan))
    zeros = network(images, torch.zeros_like(pages))
    assert not torch.allclose(unknown[1], zeros[1])


@every_network
@pytest.mark.parametrize("feature", range(4))
def test_every_page_feature_counts(name, feature):
    network = make(name, width=8).eval()
    images, pages = draw(5)
    other = pages.clone()
    other[:, feature] += 0.3
    assert not torch.allclose(network(images, pages)[1], network(images, other)[1])


@every_network
def test_wider_networks_have_more_weights(name):
    sizes = [count_weights(make(name, width=width)) for width in (4, 8, 16)]
    assert sizes == sorted(set(sizes))


@every_network
def test_the_weights_at_the_default_width_are_as_many_as_the_layers_say(name):
    assert count_weights(make(name)) == WEIGHTS[name]


@every_network
def test_dropout_works_in_training_only(name):
    network, batch = make(name, width=8, dropout=0.5), draw(4)
    network.train()
    with seeded(1):
        assert not torch.equal(network(*batch)[0], network(*batch)[0])
    network.eval()
    assert torch.equal(network(*batch)[0], network(*batch)[0])


@every_network
def test_the_backbone_knows_neither_labels_nor_page(name):
    """So that the backbone of a network of digits goes into one of letters."""
    backbones = [
        {
            key: value.shape
            for key, value in make(name, count, width=4).backbone.state_dict().items()
        }
        for count in (10, 43)
    ]
    assert backbones[0] == backbones[1] != {}


def test_an_unknown_network_is_refused_with_those_there_are():
    with pytest.raises(ParameterError, match=r"one of \['glyph_cnn', .*\], got 'vgg'"):
        build_network("vgg", 43)
