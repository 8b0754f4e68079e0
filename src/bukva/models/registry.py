"""Networks by name.

They are imported when they are built: the bricks of torchvision take two seconds to import, which a
run that builds none need not wait for.
"""

from collections.abc import Callable, Mapping
from pkgutil import resolve_name
from typing import Any, Final

from torch import nn

from bukva.errors import ParameterError

NETWORKS: Final[Mapping[str, str]] = {
    "glyph_cnn": "bukva.models.glyph_cnn:GlyphCnn",
    "glyph_resnet": "bukva.models.glyph_resnet:GlyphResNet",
    "lenet": "bukva.models.lenet:LeNet",
    "mlp": "bukva.models.mlp:Mlp",
    "peer_cnn": "bukva.models.peer_cnn:PeerCnn",
}
"""By name, the class; it takes the number of labels and the sizes."""


def build_network(name: str, label_count: int, **sizes: Any) -> nn.Module:
    """Return a new network with random weights.

    Raises:
        ParameterError: If no network has this name.
    """
    if name not in NETWORKS:
        raise ParameterError(f"Expected a network, one of {sorted(NETWORKS)}, got {name!r}.")
    network: Callable[..., nn.Module] = resolve_name(NETWORKS[name])
    return network(label_count, **sizes)
