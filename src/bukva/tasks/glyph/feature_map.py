"""The last map of features of a network: what it sees where, before it forgets places.

Shapes: B images in a batch, C channels, h x w places, D features, F page features, K labels.
"""

from typing import cast

import torch
from torch import Tensor, nn

from bukva.tasks.glyph.networks import MeanMaxPool, TwoHeadedNetwork


class MappedNetwork(nn.Module):
    """A network cut in two at its last feature map; its weights are shared."""

    def __init__(self, network: TwoHeadedNetwork, place: int) -> None:
        """Cut a network behind one part of its backbone.

        Args:
            network: With a backbone of parts, one after the other; in evaluation mode.
            place: Number of the part that gives the map.
        """
        super().__init__()
        parts = list(cast("nn.Sequential", network.backbone))
        self.network = network
        self.map_layer = parts[place]
        self._to_map = nn.Sequential(*parts[: place + 1])
        self._from_map = nn.Sequential(*parts[place + 1 :])

    def forward(self, images_B1HW: Tensor, page_BF: Tensor) -> tuple[Tensor, Tensor]:
        """Return label logits `(B, K)` and case logits `(B,)`, as the whole network does."""
        return self.network.answer(self._from_map(self._to_map(images_B1HW)), page_BF)

    @property
    def has_written_gradient(self) -> bool:
        """Whether `answer_with_map` knows how the features come from the map."""
        return len(self._from_map) == 1 and isinstance(self._from_map[0], MeanMaxPool | nn.Flatten)

    def answer_with_map(
        self, images_B1HW: Tensor, page_BF: Tensor, label_count: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return both logits, and where the map speaks for the likeliest label: `(B, h, w)`.

        That is Grad-CAM (Selvaraju et al. 2017) with the gradient written out.

        Args:
            images_B1HW: As `forward` takes them.
            page_BF: The same.
            label_count: Only the first so many classes are asked for; what follows is no symbol.
        """
        maps_BChw = self._to_map(images_B1HW)
        features_BD = self._from_map(maps_BChw)
        label_BK, case_B = self.network.answer(features_BD, page_BF)
        likeliest_B = label_BK[:, :label_count].argmax(dim=1)
        gradient_BD = self.network.label_gradient(features_BD, page_BF, likeliest_B)
        weights_BC11 = self._mean_over_places(gradient_BD, maps_BChw)[:, :, None, None]
        return label_BK, case_B, (weights_BC11 * maps_BChw).sum(dim=1).relu()

    def _mean_over_places(self, gradient_BD: Tensor, maps_BChw: Tensor) -> Tensor:
        """Return the gradient by the map, its mean over all places, from that by the features."""
        _, channels, height, width = maps_BChw.shape
        if isinstance(self._from_map[0], nn.Flatten):
            return gradient_BD.view(-1, channels, height, width).mean((2, 3))
        # The gradient of a mean is spread over all places, that of a maximum goes to one of them.
        by_mean_BC, by_maximum_BC = gradient_BD.chunk(2, dim=1)
        return (by_mean_BC + by_maximum_BC) / (height * width)


def cut_at_map(network: nn.Module, side_px: int = 28) -> MappedNetwork | None:
    """Return a network cut at its last feature map, or None if it has none.

    That is the last map of more than one place behind a convolution. LeNet's last convolution gives
    a single place, so its map is the one before; a perceptron has none.

    Args:
        network: In evaluation mode; what is no `TwoHeadedNetwork` with a sequential backbone has
            no map that we know of.
        side_px: Side of the images that it takes.
    """
    if not isinstance(network, TwoHeadedNetwork) or not isinstance(network.backbone, nn.Sequential):
        return None
    place = _find_last_map(network.backbone, side_px)
    return None if place is None else MappedNetwork(network, place)


@torch.no_grad()
def _find_last_map(backbone: nn.Sequential, side_px: int) -> int | None:
    features, is_convolved, found = torch.zeros((1, 1, side_px, side_px)), False, None
    for place, part in enumerate(backbone):
        features = part(features)
        is_convolved |= any(isinstance(module, nn.Conv2d) for module in part.modules())
        if is_convolved and features.dim() == 4 and features.shape[2:].numel() > 1:
            found = place
    return found
