import dataclasses
import json

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from bukva.core.training.checkpoint import weights_of
from bukva.core.training.device import seeded
from bukva.errors import ModelFormatError
from bukva.tasks.glyph.networks import build_network
from bukva.tasks.glyph.trained import ModelSpec, TrainedModel, load_backbone, predict_logits


def test_a_model_comes_back_from_its_network(random_model, drawn_samples):
    images, pages = drawn_samples.images_NHW[:9], drawn_samples.page_NF[:9]
    network = random_model.to_network()
    again = TrainedModel(weights_of(network), random_model.spec)
    assert again.digest() == random_model.digest()
    assert not network.training
    found, expected = (predict_logits(m.to_network(), images, pages) for m in (again, random_model))
    np.testing.assert_array_equal(found.label_NK, expected.label_NK)


def test_the_specification_comes_back_from_json(random_model):
    document = json.loads(json.dumps(random_model.spec.model_dump(mode="json")))
    assert ModelSpec.model_validate(document) == random_model.spec


def test_the_specification_refuses_what_it_does_not_know(random_model):
    with pytest.raises(ValidationError, match="colour"):
        ModelSpec.model_validate(random_model.spec.model_dump() | {"colour": "blue"})


def test_the_weights_are_copies(random_model):
    network = random_model.to_network()
    weights = weights_of(network)
    network.label_head.bias.data.add_(1)
    np.testing.assert_array_equal(
        weights["label_head.bias"], random_model.weights["label_head.bias"]
    )


def test_using_a_model_leaves_its_weights(random_model):
    digest = random_model.digest()
    random_model.to_network().label_head.weight.data.zero_()
    assert random_model.digest() == digest


@pytest.mark.parametrize("name", ["backbone.0.0.0.weight", "neck.1.running_var", "case_head.bias"])
def test_the_digest_changes_with_any_weight(random_model, name):
    value = random_model.weights[name].copy()
    value.reshape(-1)[-1] = np.nextafter(value.reshape(-1)[-1], np.float32(np.inf))
    changed = dataclasses.replace(random_model, weights={**random_model.weights, name: value})
    assert changed.digest() != random_model.digest()


def test_the_digest_does_not_depend_on_the_order_of_weights(random_model):
    turned = dict(reversed(random_model.weights.items()))
    assert TrainedModel(turned, random_model.spec).digest() == random_model.digest()


@pytest.mark.parametrize("change", ["labels", "sizes", "missing"])
def test_weights_that_do_not_fit_the_specification_are_refused(random_model, change):
    weights, spec = dict(random_model.weights), random_model.spec
    if change == "missing":
        del weights["neck.0.bias"]
    else:
        values = {"labels": {"labels": "0123456789"}, "sizes": {"sizes": {"width": 8}}}
        spec = spec.model_copy(update=values[change])
    with pytest.raises(ModelFormatError, match="Expected the weights of glyph_cnn"):
        TrainedModel(weights, spec).to_network()


def make_network(width=4, label_count=43):
    with seeded(9):
        return build_network("glyph_cnn", label_count, width=width)


def test_the_backbone_of_a_model_of_digits_goes_into_a_network_of_letters(make_model):
    model, network = make_model(labels="0123456789"), make_network()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    load_backbone(network, model)
    for name, value in network.state_dict().items():
        expected = before[name]
        if name.startswith("backbone."):
            expected = torch.from_numpy(np.array(model.weights[name]))
        assert torch.equal(value, expected), name


def test_a_backbone_of_another_width_is_refused(random_model):
    with pytest.raises(ModelFormatError, match=r"'width': 4.* that differs in \['backbone"):
        load_backbone(make_network(width=8), random_model)


@pytest.mark.parametrize("change", ["none", "fewer", "more"])
def test_a_backbone_with_other_layers_is_refused_and_nothing_is_loaded(random_model, change):
    weights, network = dict(random_model.weights), make_network()
    names = [name for name in weights if name.startswith("backbone.")]
    if change == "more":
        weights["backbone.5.0.0.weight"] = weights[names[0]]
    for name in names[: {"none": None, "fewer": 1, "more": 0}[change]]:
        del weights[name]
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with pytest.raises(ModelFormatError, match="same network and width"):
        load_backbone(network, TrainedModel(weights, random_model.spec))
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
