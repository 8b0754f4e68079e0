"""The classic network: what its windows see, where it stops, and that it learns."""

import numpy as np
import torch
from small_reader import TEXTS, Samples

from bukva.core.samples import of_split
from bukva.core.training.fit import fit
from bukva.tasks.line.charset import UKRAINIAN
from bukva.tasks.line.evaluation.classic import ClassicLearner, WindowNetwork, read, widen
from bukva.tasks.line.lines import Lines
from bukva.tasks.line.training_parameters import ClassicParameters


def hold(samples: Samples) -> Lines:
    table, images_NHW = of_split(*samples, "train")
    inks = [image[:, :width] for image, width in zip(images_NHW, table["width_px"], strict=True)]
    return Lines.of(inks, [UKRAINIAN.encode(text) for text in TEXTS])


def test_lines_are_learnt_by_heart_character_by_character(samples: Samples) -> None:
    parameters = ClassicParameters(
        width=4, hidden=48, max_epochs=3, steps_per_epoch=40, batch_size=8, learning_rate=0.01,
        ema_decay=0.9, precision="float32",
    )  # fmt: skip
    lines = hold(samples)
    torch.manual_seed(1)
    network = WindowNetwork(parameters.width, parameters.hidden, len(UKRAINIAN))
    learner = ClassicLearner(lines, lines, TEXTS, UKRAINIAN, parameters)
    history = fit(network, learner, parameters).history
    assert history["valid_cer"].iloc[-1] < 0.5 < history["valid_cer"].iloc[0]


def test_there_are_windows_for_every_character_of_a_long_line() -> None:
    network = WindowNetwork(2, 4, 5).eval()
    with torch.inference_mode():
        logits_BSK = network(widen(torch.zeros((2, 1, 48, 100))))
    assert logits_BSK.shape == (2, 94, 5)


def test_what_comes_behind_the_first_blank_is_not_read() -> None:
    class Says(torch.nn.Module):
        def forward(self, ink_B1HW: torch.Tensor) -> torch.Tensor:
            said = torch.tensor([[*UKRAINIAN.encode("так"), 0, *UKRAINIAN.encode("ні")]])
            return torch.nn.functional.one_hot(said, len(UKRAINIAN)).float()

    lines = Lines.of([np.zeros((48, 8), np.uint8)], [[]])
    assert read(Says(), lines, UKRAINIAN) == ["так"]
