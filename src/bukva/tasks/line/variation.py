"""Lines varied at random while a network learns, a whole batch at once.

Shapes: B lines in a batch, H x W pixels, V columns of what is made of them.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from bukva.core.training.variation import draw_uniform
from bukva.tasks.line.framing import STRIDE
from bukva.tasks.line.training_parameters import Range, VariationParameters

_WAVE_PX = 16
"""Between places that are moved each for itself."""


def vary(
    ink_B1HW: Tensor, widths_B: Tensor, generator: torch.Generator, parameters: VariationParameters
) -> tuple[Tensor, Tensor]:
    """Return lines `(B, 1, H, V)`, ink 0..1, and how wide each is now.

    Args:
        ink_B1HW: Lines that begin at the left, 0 beyond their ends.
        widths_B: Where they end, in pixels.
        generator: Source of all randomness.
        parameters: How much.
    """
    grid_BHV2, widths_B = _draw_grid(ink_B1HW, widths_B, generator, parameters)
    ink = functional.grid_sample(ink_B1HW, grid_BHV2, align_corners=False)
    ink = _change_thickness(ink, generator, parameters.thickness)
    exponent = torch.exp(draw_uniform(ink, generator, parameters.gamma))[:, None, None, None]
    ink = ink.clamp(1e-4, 1.0) ** exponent
    strength = draw_uniform(ink, generator, 1.0)[:, None, None, None].square() * parameters.noise
    noise = torch.randn(ink.shape, generator=generator, device=ink.device)
    return (ink + strength * noise).clamp(0.0, 1.0), widths_B


def _draw_grid(
    ink_B1HW: Tensor, widths_B: Tensor, generator: torch.Generator, parameters: VariationParameters
) -> tuple[Tensor, Tensor]:
    """Return where each pixel is looked up, `(B, H, V, 2)`, and the new widths."""
    height, width = ink_B1HW.shape[2:]
    stretch_x_B = _draw_range(ink_B1HW, generator, parameters.width)
    stretch_y_B = _draw_range(ink_B1HW, generator, parameters.height)
    slant_B = draw_uniform(ink_B1HW, generator, parameters.slant)
    turn_B = draw_uniform(ink_B1HW, generator, math.radians(parameters.rotation_deg))
    new_widths_B = (widths_B * stretch_x_B).ceil().long()
    columns = -(-int(new_widths_B.max()) // STRIDE) * STRIDE
    x_V = torch.arange(columns, device=ink_B1HW.device) + 0.5
    y_H = torch.arange(height, device=ink_B1HW.device) + 0.5 - height / 2
    along_B1V = x_V / stretch_x_B[:, None, None]
    middle_B11 = widths_B[:, None, None] / 2
    down_B1V = turn_B[:, None, None] * (along_B1V - middle_B11)
    across_BH1 = y_H[:, None] / stretch_y_B[:, None, None]
    moved_B2HV = _draw_waves(ink_B1HW, columns, generator, parameters.elastic_px)
    x_BHV = along_B1V + slant_B[:, None, None] * across_BH1 + moved_B2HV[:, 0]
    y_BHV = across_BH1 + down_B1V + height / 2 + moved_B2HV[:, 1]
    grid_BHV2 = torch.stack([2 * x_BHV / width - 1, 2 * y_BHV / height - 1], dim=3)
    return grid_BHV2, new_widths_B


def _draw_waves(ink_B1HW: Tensor, columns: int, generator: torch.Generator, limit: float) -> Tensor:
    """Return by how many pixels each place is moved, `(B, 2, H, V)`, its neighbours with it."""
    count, _, height, _ = ink_B1HW.shape
    shape = (count, 2, height // _WAVE_PX + 1, columns // _WAVE_PX + 2)
    draw = torch.randn(shape, generator=generator, device=ink_B1HW.device)
    return functional.interpolate(limit * draw, (height, columns), mode="bilinear")


def _draw_range(images: Tensor, generator: torch.Generator, limits: Range) -> Tensor:
    low, high = limits
    return (low + high) / 2 + draw_uniform(images, generator, (high - low) / 2)


def _change_thickness(ink: Tensor, generator: torch.Generator, limit: float) -> Tensor:
    amount = draw_uniform(ink, generator, limit)[:, None, None, None]
    thicker, thinner = _spread(ink, torch.maximum), _spread(ink, torch.minimum)
    # Where a stroke is thin, half of it is left at least.
    thinner = torch.maximum(thinner, 0.5 * ink)
    return torch.where(amount > 0, ink + amount * (thicker - ink), ink - amount * (thinner - ink))


def _spread(ink: Tensor, choose: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Return the highest or lowest of each pixel and its eight neighbours: faster than pooling."""
    padded = functional.pad(ink, (1, 1, 1, 1))
    rows = choose(choose(padded[:, :, :-2], padded[:, :, 1:-1]), padded[:, :, 2:])
    return choose(choose(rows[..., :-2], rows[..., 1:-1]), rows[..., 2:])
