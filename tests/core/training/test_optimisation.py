import pytest
import torch

from bukva.core.training.device import autocast, resolve_device, seeded
from bukva.core.training.optimisation import Optimisation
from bukva.tasks.glyph.parameters import TrainingParameters


def make(ema_decay: float = 0.75, **changed: object) -> tuple[torch.nn.Module, Optimisation]:
    parameters = TrainingParameters.model_validate(
        {
            "corpora": {"strokes": 1.0},
            "ema_decay": ema_decay,
            "learning_rate": 0.1,
            "schedule": "plateau",
            **changed,
        }
    )
    with seeded(1):
        network = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
    return network, Optimisation(network, parameters, epochs=1, steps_per_epoch=4)


def take_step(network, optimisation):
    optimisation.zero_grad()
    network(torch.tensor([[1.0, -2.0], [3.0, 5.0]])).square().sum().backward()
    optimisation.step()


def test_weights_and_statistics_are_averaged_with_a_decay_that_warms_up():
    network, optimisation = make(ema_decay=0.75)
    expected = {}
    for step in range(40):
        take_step(network, optimisation)
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                share = 1 - min(0.75, (1 + step) / (10 + step)) if step else 1.0
                expected[name] = value * share + expected.get(name, 0.0) * (1 - share)
    averaged = optimisation.averaged.module.state_dict()
    assert {"0.weight", "1.running_mean", "1.running_var"} <= expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(averaged[name], value, rtol=1e-5, atol=1e-6)


def test_a_decay_of_zero_keeps_the_last_weights():
    network, optimisation = make(ema_decay=0.0)
    for _ in range(3):
        take_step(network, optimisation)
    for name, value in network.state_dict().items():
        torch.testing.assert_close(optimisation.averaged.module.state_dict()[name], value)


def test_gradients_are_scaled_down_to_the_largest_norm():
    network, optimisation = make(max_gradient_norm=0.01)
    take_step(network, optimisation)
    norms = torch.stack([weight.grad.norm() for weight in network.parameters()])
    assert norms.norm().item() == pytest.approx(0.01, rel=1e-4)


def test_what_is_held_still_gets_no_weight_decay():
    network, optimisation = make(weight_decay=0.5)
    network[0].requires_grad_(False)
    before = network[0].weight.clone()
    take_step(network, optimisation)
    assert torch.equal(network[0].weight, before)


@pytest.mark.parametrize("schedule", ["one_cycle", "plateau"])
def test_the_state_brings_back_the_next_step(schedule):
    network, optimisation = make(schedule=schedule)
    take_step(network, optimisation)
    state = torch.load(save(optimisation.state_dict()), weights_only=True)
    take_step(network, optimisation)
    other_network, other = make(schedule=schedule)
    other.load_state_dict(state)
    assert other.learning_rate == pytest.approx(float(state["optimizer"]["param_groups"][0]["lr"]))
    take_step(other_network, other)
    assert other.learning_rate == optimisation.learning_rate
    for name, value in network.state_dict().items():
        assert torch.equal(other_network.state_dict()[name], value)


def save(state):
    import io

    buffer = io.BytesIO()
    torch.save(state, buffer)
    buffer.seek(0)
    return buffer


def test_auto_takes_what_there_is():
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    assert resolve_device("auto").type == expected
    assert resolve_device("cpu").type == "cpu"


@pytest.mark.parametrize(
    ("precision", "dtype"), [("float32", torch.float32), ("bfloat16", torch.bfloat16)]
)
def test_products_are_computed_at_the_asked_precision(precision, dtype):
    with autocast(torch.device("cpu"), precision):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == dtype


def test_seeding_decides_the_numbers_and_leaves_the_callers():
    torch.manual_seed(4)
    expected = torch.rand(3)
    torch.manual_seed(4)
    with seeded(9):
        first = torch.rand(3)
    assert torch.equal(torch.rand(3), expected)
    with seeded(9):
        assert torch.equal(torch.rand(3), first)
