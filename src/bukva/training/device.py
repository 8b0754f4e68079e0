"""Where and how precisely to compute."""

from contextlib import AbstractContextManager

import torch

from bukva.errors import ParameterError
from bukva.parameters import Device, Precision


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


def has_fast_bfloat16(device: torch.device) -> bool:
    """Return whether the hardware multiplies bfloat16, so that it saves time."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def autocast(device: torch.device, precision: Precision) -> AbstractContextManager[None]:
    """Return the context in which forward passes run at the asked precision."""
    is_reduced = precision == "bfloat16" or (precision == "auto" and has_fast_bfloat16(device))
    return torch.autocast(device.type, torch.bfloat16, enabled=is_reduced)
