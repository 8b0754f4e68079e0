"""Networks by name."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from torch import nn

from bukva.errors import ParameterError
from bukva.models.glyph_cnn import GlyphCnn
from bukva.models.glyph_resnet import GlyphResNet
from bukva.models.lenet import LeNet
from bukva.models.mlp import Mlp
from bukva.models.peer_cnn import PeerCnn

NETWORKS: Final[Mapping[str, Callable[..., nn.Module]]] = {
    "glyph_cnn": GlyphCnn,
    "glyph_resnet": GlyphResNet,
    "lenet": LeNet,
    "mlp": Mlp,
    "peer_cnn": PeerCnn,
}


def build_network(name: str, label_count: int, **sizes: Any) -> nn.Module:
    """Return a new network with random weights.

    Raises:
        ParameterError: If no network has this name.
    """
    if name not in NETWORKS:
        raise ParameterError(f"Expected a network, one of {sorted(NETWORKS)}, got {name!r}.")
    return NETWORKS[name](label_count, **sizes)
