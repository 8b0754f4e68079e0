"""The network that reads lines: convolutions, columns, two recurrent layers (Puigcerver 2017).

Height and width are halved twice before the first residual layer, as layers on large pictures are
the dear ones: 0.9 billion multiplications a line of 48 x 700 at width 32, and 1.9 million weights.
What is highest in a column of a feature map is all that the recurrent layers see of it. A shortcut
head reads the same columns without them; its logits are added to theirs, and have a loss of their
own (Retsinas et al. 2022). So characters are learnt from the first steps on, and the recurrent
layers learn what context changes: eight lines are known by heart in a third of the steps.

Shapes: B lines in a batch, H x W pixels, T = W / 4 time steps, F features, K classes, the blank
first.
"""

from typing import Any, Final

import torch
from torch import Tensor, nn

_GAIN: Final = 4.0
"""Of the recurrent layers' head: their states are -1..1, so that it would need long to be sure."""


class LineNetwork(nn.Module):
    """Ink of lines `(B, 1, 48, W)` 0..1 in, logits of each time step out.

    Args:
        width: Channels of the first layer; the last has six times as many.
        hidden: Units of each recurrent layer in each direction.
        dropout: Share of the columns' features that are not seen, in training.
        classes: Characters, and the blank.
    """

    def __init__(self, width: int, hidden: int, dropout: float, classes: int) -> None:
        super().__init__()
        features = 6 * width
        self.convolutions = nn.Sequential(
            *_convolution(1, width, 2, size=5),
            *_convolution(width, 2 * width, 2),
            _Residual(2 * width),
            _Residual(2 * width),
            *_convolution(2 * width, 4 * width, (2, 1)),
            _Residual(4 * width),
            _Residual(4 * width),
            *_convolution(4 * width, features, (2, 1)),
            _Residual(features),
        )
        # Sums of many ReLUs are large and far from 0, where recurrent layers learn slowly.
        self.norm = nn.BatchNorm1d(features)
        self.dropout = nn.Dropout(dropout)
        self.recurrent = nn.LSTM(
            features, hidden, 2, bidirectional=True, batch_first=True, dropout=dropout
        )
        self.head = nn.Linear(2 * hidden, classes)
        self.shortcut = nn.Conv1d(features, classes, 3, padding=1)

    def forward(self, ink_B1HW: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits `(B, T, K)`, and those of the shortcut head alone."""
        columns_BFT = self.see(ink_B1HW)
        states_BTH, _ = self.recurrent(columns_BFT.transpose(1, 2))
        return self.say(columns_BFT, states_BTH)

    def see(self, ink_B1HW: Tensor) -> Tensor:
        """Return the features of each column, `(B, F, T)`."""
        # Not adaptive pooling, which pins the width of the example when it is exported.
        columns_BFT = self.convolutions(ink_B1HW).amax(dim=2)
        seen_BFT: Tensor = self.dropout(self.norm(columns_BFT))
        return seen_BFT

    def say(self, columns_BFT: Tensor, states_BTH: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits of both heads, from columns and the recurrent layers' states."""
        shortcut_BTK = self.shortcut(columns_BFT).transpose(1, 2)
        return shortcut_BTK + _GAIN * self.head(self.dropout(states_BTH)), shortcut_BTK


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(*_convolution(width, width, 1))

    def forward(self, values: Tensor) -> Tensor:
        added: Tensor = values + self.layers(values)
        return added


def _convolution(
    inputs: int, outputs: int, stride: int | tuple[int, int], size: int = 3
) -> tuple[nn.Module, ...]:
    layer = nn.Conv2d(inputs, outputs, size, stride=stride, padding=size // 2, bias=False)
    return layer, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)


class FromPixels(nn.Module):
    """The network as it is exported: takes uint8 `(N, 48, W)`, gives its logits alone.

    The recurrent layers are named to the exporter as ONNX has them. Left to itself it sometimes
    unrolls them over the steps of the example: in any process that has exported before.
    """

    def __init__(self, network: LineNetwork) -> None:
        super().__init__()
        self.network = network
        for layer in range(network.recurrent.num_layers):
            for name, value in _to_onnx(network.recurrent, layer).items():
                self.register_buffer(f"{name}_{layer}", value)

    def forward(self, images_NHW: Tensor) -> Tensor:
        """Return the logits `(N, T, K)`."""
        columns_NFT = self.network.see(images_NHW.unsqueeze(1).float() / 255.0)
        if torch.onnx.is_in_onnx_export():
            states_NTH = self._recur(columns_NFT)
        else:
            states_NTH, _ = self.network.recurrent(columns_NFT.transpose(1, 2))
        logits_NTK, _ = self.network.say(columns_NFT, states_NTH)
        return logits_NTK

    def _recur(self, columns_NFT: Tensor) -> Tensor:
        values_TNF = columns_NFT.permute(2, 0, 1)
        recurrent = self.network.recurrent
        attributes: dict[str, Any] = {
            "hidden_size": recurrent.hidden_size, "direction": "bidirectional",
        }  # fmt: skip
        for layer in range(recurrent.num_layers):
            weights = [getattr(self, f"{name}_{layer}") for name in ("inputs", "states", "biases")]
            steps, count = values_TNF.shape[:2]
            states_T2NH = torch.onnx.ops.symbolic(
                "LSTM", (values_TNF, *weights), attributes,
                dtype=values_TNF.dtype, shape=(steps, 2, count, recurrent.hidden_size),
            )  # fmt: skip
            values_TNF = states_T2NH.transpose(1, 2).flatten(2)
        return values_TNF.transpose(0, 1)


def _to_onnx(recurrent: nn.LSTM, layer: int) -> dict[str, Tensor]:
    """Return the weights of a layer in both directions, their gates in the order of ONNX."""

    def of(kind: str) -> list[Tensor]:
        ways = (getattr(recurrent, f"{kind}_l{layer}{way}").detach() for way in ("", "_reverse"))
        # torch: input, forget, cell, output; ONNX: input, output, forget, cell.
        return [torch.cat([gates[0], gates[3], gates[1], gates[2]])
                for gates in (each.chunk(4) for each in ways)]  # fmt: skip

    pairs = zip(of("bias_ih"), of("bias_hh"), strict=True)
    return {
        "inputs": torch.stack(of("weight_ih")),
        "states": torch.stack(of("weight_hh")),
        "biases": torch.stack([torch.cat(pair) for pair in pairs]),
    }
