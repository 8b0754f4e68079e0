"""The state of a training run as bytes, so that a killed run goes on where it was."""

import hashlib
import io
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from bukva.errors import TrainingError


class CheckpointStore(Protocol):
    """Where checkpoints are kept; what is saved is whole or not there."""

    def load(self) -> bytes | None:
        """Return what was saved last, None if nothing was."""

    def save(self, state: bytes) -> None:
        """Keep a state in place of the former one."""

    def clear(self) -> None:
        """Forget what was saved."""


def pack(state: dict[str, Any]) -> bytes:
    """Return a state of tensors and plain values as bytes."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def unpack(packed: bytes) -> dict[str, Any]:
    """Return the state that `pack` was given; runs no code from it.

    Raises:
        TrainingError: If the bytes are not a checkpoint.
    """
    try:
        state = torch.load(io.BytesIO(packed), weights_only=True)
    except Exception as error:  # torch raises many kinds for broken archives
        message = (
            "Expected a checkpoint of bukva, got unreadable bytes; set resume=false to start anew."
        )
        raise TrainingError(message) from error
    if not isinstance(state, dict):
        raise TrainingError(f"Expected a checkpoint to hold a dict, got {type(state).__name__}.")
    return state


def weights_of(network: nn.Module) -> dict[str, NDArray[Any]]:
    """Return copies of a network's weights as arrays, by name."""
    return {name: value.cpu().numpy().copy() for name, value in network.state_dict().items()}


def digest_weights(weights: Mapping[str, NDArray[Any]]) -> str:
    """Return a sha256 over names and values of weights."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(weights[name]).tobytes())
    return digest.hexdigest()
