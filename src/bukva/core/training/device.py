"""Where, how precisely and from which seed to compute."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import torch

from bukva.core.parameters import Device, Precision
from bukva.errors import ParameterError


def resolve_device(device: Device) -> torch.device:
    """Return the torch device that a parameter means.

    Raises:
        ParameterError: If `cuda` is asked for and torch finds no GPU.
    """
    has_cuda = torch.cuda.is_available()
    if device == "cuda" and not has_cuda:
        message = (
            "Expected a GPU for device=cuda, but torch finds none "
            f"(torch {torch.__version__}). Use device=auto, or install a CUDA build: see README."
        )
        raise ParameterError(message)
    return torch.device("cuda" if device != "cpu" and has_cuda else "cpu")


def autocast(device: torch.device, precision: Precision) -> AbstractContextManager[None]:
    """Return the context in which forward passes run at the asked precision."""
    is_reduced = precision == "bfloat16" or (precision == "auto" and _has_fast_bfloat16(device))
    return torch.autocast(device.type, torch.bfloat16, enabled=is_reduced)


def _has_fast_bfloat16(device: torch.device) -> bool:
    """Return whether the hardware multiplies bfloat16, so that it saves time."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Run the block with torch's generators seeded, and give back their former state after it."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield
