import numpy as np
import pytest
import torch

from bukva.tasks.glyph.trained import predict_logits, to_batch


@pytest.fixture
def samples(drawn_samples):
    return drawn_samples.images_NHW[:23], drawn_samples.page_NF[:23]


@pytest.mark.parametrize("batch_size", [1, 7, 23, 100])
def test_the_size_of_batches_does_not_matter(random_model, samples, batch_size):
    network = random_model.to_network()
    expected = predict_logits(network, *samples)
    found = predict_logits(network, *samples, batch_size=batch_size)
    assert found.label_NK.dtype == found.case_N.dtype == np.float32
    assert found.label_NK.shape == (23, 43)
    np.testing.assert_allclose(found.label_NK, expected.label_NK, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(found.case_N, expected.case_N, rtol=1e-4, atol=1e-4)


def test_prediction_is_in_evaluation_mode(random_model, samples):
    network = random_model.to_network().train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    first, again = (predict_logits(network, *samples) for _ in range(2))
    np.testing.assert_array_equal(first.label_NK, again.label_NK)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_a_batch_is_ink_between_nothing_and_all():
    images = torch.tensor([[[0, 51], [102, 255]]], dtype=torch.uint8)
    batch, page = to_batch(images, torch.ones(1, 4), torch.device("cpu"))
    assert batch.shape == (1, 1, 2, 2)
    torch.testing.assert_close(batch[0, 0], torch.tensor([[0.0, 0.2], [0.4, 1.0]]))
    assert torch.equal(page, torch.ones(1, 4))
