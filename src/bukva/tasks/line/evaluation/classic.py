"""The classic beside CTC: a window slides over the line, and place by place a character is said.

As courses teach it before CTC: each window becomes features, a recurrent layer passes them on to
each other, and the first output is to be the first character, the second the second, and so on to
the end, which is a blank. What CTC leaves open, where each character is, must be learnt.

Shapes: N lines, B in a batch, H x W pixels, S windows, K classes, the blank first.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional

from bukva.core.arrays import UInt8Array
from bukva.core.evaluation.edits import Edits
from bukva.core.training.device import autocast, seeded
from bukva.core.training.fit import fit
from bukva.core.training.optimisation import Phase
from bukva.tasks.line.charset import BLANK, Charset, normalise
from bukva.tasks.line.framing import HEIGHT, MOST_WIDTH
from bukva.tasks.line.line_maker import LineMaker
from bukva.tasks.line.lines import Lines
from bukva.tasks.line.training_parameters import ClassicParameters

WINDOW_PX: Final = 40
STRIDE_PX: Final = 16
_FEATURES: Final = 128
_AT_ONCE: Final = 64
_NOT_LEARNT: Final = -100
"""Behind the end: as nothing is read of it, nothing need be right."""


class WindowNetwork(nn.Module):
    """Ink of lines `(B, 1, 48, W)` 0..1 in, logits `(B, S, K)` of the characters in order out."""

    def __init__(self, width: int, hidden: int, classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in ((1, width), (width, 2 * width), (2 * width, 4 * width)):
            layers += [nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False),
                       nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]  # fmt: skip
        cells = (HEIGHT // 8) * (WINDOW_PX // 8)
        self.window = nn.Sequential(
            *layers, nn.Flatten(), nn.Linear(4 * width * cells, _FEATURES), nn.ReLU()
        )
        self.recurrent = nn.LSTM(_FEATURES, hidden, 2, bidirectional=True, batch_first=True)
        self.head = nn.Linear(2 * hidden, classes)

    def forward(self, ink_B1HW: Tensor) -> Tensor:
        """Return the logits."""
        windows_B1HSw = ink_B1HW.unfold(3, WINDOW_PX, STRIDE_PX)
        count, _, height, windows, width = windows_B1HSw.shape
        one_by_one = windows_B1HSw.permute(0, 3, 1, 2, 4).reshape(-1, 1, height, width)
        features_BSD = self.window(one_by_one).reshape(count, windows, -1)
        states_BSH, _ = self.recurrent(features_BSD)
        logits_BSK: Tensor = self.head(states_BSH)
        return logits_BSK


class ClassicLearner:
    """Teaches it by the cross-entropy of each place; for `bukva.core.training.fit`."""

    def __init__(
        self, train: Lines, valid: Lines, texts: Sequence[str], charset: Charset,
        parameters: ClassicParameters,
    ) -> None:  # fmt: skip
        self.phases: Sequence[Phase] = (Phase("all", parameters.max_epochs, watched="valid_cer"),)
        self.chances_N = np.ones(len(train))
        self._train, self._valid, self._texts = train, valid, texts
        self._charset, self._parameters = charset, parameters
        self._device = torch.device("cpu")

    def digests(self) -> tuple[str, ...]:
        """Return a digest of the lines to learn from, and of those to choose by."""
        return self._train.digest(), self._valid.digest()

    def to(self, device: torch.device) -> None:
        """Move the lines to a device."""
        self._device, self._train = device, self._train.to(device)

    def loss(self, network: nn.Module, chosen_B: Tensor, generator: torch.Generator) -> Tensor:  # noqa: ARG002
        """Return the mean cross-entropy of each character and of the end, in nats."""
        ink_B1HW, labels_BS = self._batch(self._train, chosen_B.tolist())
        with autocast(self._device, self._parameters.precision):
            logits_BSK = network(ink_B1HW)
        return functional.cross_entropy(
            logits_BSK.float().flatten(0, 1), labels_BS.flatten(), ignore_index=_NOT_LEARNT
        )

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Return the loss and the error rate of characters."""
        found = read(network, self._valid, self._charset)
        edits = Edits.sum(map(Edits.between, self._texts, found))
        return {"valid_loss": edits.cer, "valid_cer": edits.cer}

    def _batch(self, lines: Lines, places: Sequence[int]) -> tuple[Tensor, Tensor]:
        ink_B1HW = widen(lines.batch(places).ink_B1HW)
        windows = (ink_B1HW.shape[3] - WINDOW_PX) // STRIDE_PX + 1
        labels_BS = torch.full((len(places), windows), _NOT_LEARNT, device=self._device)
        for row, place in enumerate(places):
            label = torch.from_numpy(np.append(lines.labels[place], BLANK)[:windows])
            labels_BS[row, : len(label)] = label
        return ink_B1HW, labels_BS


def widen(ink_B1HW: Tensor) -> Tensor:
    """Return lines with zeros behind them, up to the width that all lines get."""
    return functional.pad(ink_B1HW, (0, MOST_WIDTH - ink_B1HW.shape[3]))


@torch.inference_mode()
def read(network: nn.Module, lines: Lines, charset: Charset) -> list[str]:
    """Return what is read of lines: up to the first place that is blank."""
    network.eval()
    found = []
    for start in range(0, len(lines), _AT_ONCE):
        places = range(start, min(start + _AT_ONCE, len(lines)))
        best_BS = network(widen(lines.batch(places).ink_B1HW)).argmax(dim=2)
        for row_S in best_BS.tolist():
            end = row_S.index(BLANK) if BLANK in row_S else len(row_S)
            found.append(normalise(charset.decode(row_S[:end])))
    return found


def measure(
    makers: tuple[LineMaker, LineMaker],
    tests: pd.DataFrame,
    tests_NHW: UInt8Array,
    parameters: ClassicParameters,
) -> dict[str, Any]:
    """Train it on made lines, and return its row of the table of networks.

    Args:
        makers: Of lines to learn from, and to choose by.
        tests: Rows of the sample table.
        tests_NHW: Row-aligned with it.
        parameters: How it is trained.
    """
    charset = makers[0].charset
    rng = np.random.default_rng(parameters.seed)
    counts = (parameters.lines, max(1, parameters.lines // 20))
    drawn = [maker.draw(count, rng) for maker, count in zip(makers, counts, strict=True)]
    train, valid = (
        Lines.of(images, [charset.encode(normalise(text)) for text in texts])
        for images, texts in drawn
    )
    with seeded(parameters.seed):
        network = WindowNetwork(parameters.width, parameters.hidden, len(charset))
    texts = [normalise(text) for text in drawn[1][1]]
    learner = ClassicLearner(train, valid, texts, charset, parameters)
    _, history = fit(network, learner, parameters)
    inks = [image[:, :width] for image, width in zip(tests_NHW, tests["width_px"], strict=True)]
    found = read(network.cpu(), Lines.of(inks, [[] for _ in inks]), charset)
    edits = Edits.sum(map(Edits.between, map(normalise, tests["text"]), found))
    return {
        "name": "windows and LSTM, without CTC",
        "cer": round(edits.cer, 4),
        "wer": round(edits.wer, 4),
        "lines": len(tests),
        "weights": sum(weight.numel() for weight in network.parameters()),
        "train_s": round(float(history["seconds"].sum()), 1),
    }
