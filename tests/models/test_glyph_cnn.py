import math

import pytest
import torch

from bukva.errors import ParameterError
from bukva.models.registry import NETWORKS, build_network
from bukva.training.losses import glyph_loss
from bukva.training.seeding import seeded


def make(label_count=43, **sizes):
    with seeded(1):
        return build_network("glyph_cnn", label_count, **sizes)


def draw(batch, side=28):
    generator = torch.Generator().manual_seed(2)
    images = torch.rand((batch, 1, side, side), generator=generator)
    return images, torch.rand((batch, 4), generator=generator)


@pytest.mark.parametrize("width", [4, 24])
@pytest.mark.parametrize("label_count", [10, 43])
@pytest.mark.parametrize("batch", [1, 2, 5])
def test_two_heads_answer_for_each_image(width, label_count, batch):
    network = make(label_count, width=width).eval()
    labels, case = network(*draw(batch))
    assert labels.shape == (batch, label_count)
    assert case.shape == (batch,)
    assert labels.dtype == case.dtype == torch.float32


@pytest.mark.parametrize("batch", [2, 5])
def test_training_takes_batches_from_two_on(batch):
    labels, case = make(width=4).train()(*draw(batch))
    assert (labels.shape, case.shape) == ((batch, 43), (batch,))


def test_an_image_is_answered_alike_alone_and_among_others():
    network = make(width=4).eval()
    images, pages = draw(5)
    alone = [network(images[i : i + 1], pages[i : i + 1]) for i in range(5)]
    together = network(images, pages)
    for head in (0, 1):
        found = torch.cat([answer[head] for answer in alone])
        torch.testing.assert_close(found, together[head], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("unknown", [(0, 1), (2, 3), (0, 1, 2, 3)], ids=["size", "place", "page"])
def test_an_unknown_page_harms_neither_answers_nor_gradients(unknown):
    network = make(width=4).train()
    images, pages = draw(4)
    pages[:3, list(unknown)] = math.nan
    labels, case = network(images, pages)
    loss = glyph_loss(labels, case, torch.arange(4), torch.tensor([math.nan, 1.0, 0.0, 1.0]))
    loss.backward()
    assert torch.isfinite(labels).all()
    assert torch.isfinite(case).all()
    gradients = {name: weight.grad for name, weight in network.named_parameters()}
    assert all(torch.isfinite(gradient).all() for gradient in gradients.values())


def test_an_unknown_page_is_not_the_page_of_zeros():
    network = make(width=4).eval()
    images, pages = draw(1)
    unknown = network(images, torch.full_like(pages, math.nan))
    zeros = network(images, torch.zeros_like(pages))
    assert not torch.allclose(unknown[1], zeros[1])


@pytest.mark.parametrize("feature", range(4))
def test_every_page_feature_counts(feature):
    network = make(width=4).eval()
    images, pages = draw(1)
    other = pages.clone()
    other[0, feature] += 0.3
    assert not torch.allclose(network(images, pages)[1], network(images, other)[1])


def test_wider_networks_have_more_weights():
    sizes = [sum(w.numel() for w in make(width=width).parameters()) for width in (4, 8, 16)]
    assert sizes == sorted(set(sizes))


def test_dropout_works_in_training_only():
    network, batch = make(width=8, dropout=0.5), draw(4)
    network.train()
    with seeded(1):
        assert not torch.equal(network(*batch)[0], network(*batch)[0])
    network.eval()
    assert torch.equal(network(*batch)[0], network(*batch)[0])


def test_an_unknown_network_is_refused_with_those_there_are():
    with pytest.raises(ParameterError, match=r"one of \['glyph_cnn'\], got 'resnet'"):
        build_network("resnet", 43)
    assert list(NETWORKS) == ["glyph_cnn"]
