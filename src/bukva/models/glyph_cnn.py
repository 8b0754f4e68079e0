"""The project's own network for one symbol: small, convolutional, with two heads.

Shapes: B images in a batch, C channels, H x W pixels, F page features, K labels.
"""

import torch
from torch import Tensor, nn

from bukva.models.vision import Conv2dNormActivation


class GlyphCnn(nn.Module):
    """Three stages of two 3 x 3 convolutions; average and maximum pooling; two heads.

    The page features join after pooling: they say how large and where, the image says what.
    """

    def __init__(
        self, label_count: int, page_features: int = 4, width: int = 24, dropout: float = 0.2
    ) -> None:
        super().__init__()
        self.backbone = nn.Sequential(
            _stage(1, width),
            nn.MaxPool2d(2),
            _stage(width, 2 * width),
            nn.MaxPool2d(2),
            _stage(2 * width, 4 * width),
        )
        self.page = nn.Sequential(nn.Linear(2 * page_features, 32), nn.ReLU())
        pooled = 2 * 4 * width + 32
        self.neck = nn.Sequential(
            nn.Linear(pooled, 6 * width), nn.BatchNorm1d(6 * width), nn.ReLU(), nn.Dropout(dropout)
        )
        self.label_head = nn.Linear(6 * width, label_count)
        self.case_head = nn.Linear(6 * width, 1)

    def forward(self, images_B1HW: Tensor, page_BF: Tensor) -> tuple[Tensor, Tensor]:
        """Return label logits `(B, K)` and the logit of being upper case `(B,)`.

        Args:
            images_B1HW: float, ink 0..1 on zero.
            page_BF: float page features, NaN where unknown.
        """
        features_BCHW = self.backbone(images_B1HW)
        pooled_BC = torch.cat([features_BCHW.mean((2, 3)), features_BCHW.amax((2, 3))], dim=1)
        neck_BD = self.neck(torch.cat([pooled_BC, self.page(_with_presence(page_BF))], dim=1))
        return self.label_head(neck_BD), self.case_head(neck_BD).squeeze(1)


def _stage(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        Conv2dNormActivation(inputs, outputs, kernel_size=3),
        Conv2dNormActivation(outputs, outputs, kernel_size=3),
    )


def _with_presence(page_BF: Tensor) -> Tensor:
    """Replace NaN by zero and append, for each feature, whether it was known."""
    is_known_BF = ~torch.isnan(page_BF)
    known_BF = torch.where(is_known_BF, page_BF, torch.zeros_like(page_BF))
    return torch.cat([known_BF, is_known_BF.to(page_BF.dtype)], dim=1)
