"""Lines varied at random while a network learns, printed and handwritten ones alike.

What a source has of its own (resolution, thickness of strokes, rules, noise) is drawn anew for each
line, so that it tells nothing of the label.

Shapes: B images in a batch, H x W pixels, w of a window.
"""

import torch
from torch import Tensor
from torch.nn import functional

from bukva.core.training.variation import draw_affine_grid, draw_uniform
from bukva.tasks.document.parameters import VariationParameters


def vary(ink_B1HW: Tensor, generator: torch.Generator, parameters: VariationParameters) -> Tensor:
    """Return windows `(B, 1, H, w)` of lines, ink 0..1, varied at random."""
    windows = cut_windows(ink_B1HW, generator, parameters.window)
    grid = draw_affine_grid(
        windows, generator, rotation_deg=parameters.rotation_deg, scale=parameters.scale,
        slant=parameters.slant, shift=parameters.shift,
    )  # fmt: skip
    windows = functional.grid_sample(windows, grid, align_corners=False)
    windows = _change_thickness(windows, generator, parameters.thickness)
    windows = _coarsen(windows, generator, parameters.coarseness)
    windows = _rule(windows, generator, parameters.rules)
    gamma = torch.exp(0.4 * _draw(windows, generator))
    windows = windows.clamp(1e-4, 1.0) ** gamma
    strength = parameters.noise * (0.5 + 0.5 * _draw(windows, generator)) ** 2
    noise = torch.randn(windows.shape, generator=generator, device=windows.device)
    return (windows + strength * noise).clamp(0.0, 1.0)


def cut_windows(ink_B1HW: Tensor, generator: torch.Generator, window: int) -> Tensor:
    """Return a piece of each line that holds ink all along, where the line is long enough."""
    width = ink_B1HW.shape[3]
    if width <= window:
        return ink_B1HW
    is_inked_BW = ink_B1HW.amax(dim=(1, 2)) > 0.3
    places_W = torch.arange(1, width + 1, device=ink_B1HW.device)
    end_B = (is_inked_BW * places_W).amax(dim=1)
    room_B = (end_B - window).clamp(min=0).float()
    draw_B = torch.rand(len(ink_B1HW), generator=generator, device=ink_B1HW.device)
    start_B = (draw_B * (room_B + 1)).long().clamp(max=width - window)
    columns_Bw = start_B[:, None] + torch.arange(window, device=ink_B1HW.device)
    index = columns_Bw[:, None, None, :].expand(-1, 1, ink_B1HW.shape[2], -1)
    return ink_B1HW.gather(3, index)


def _draw(images: Tensor, generator: torch.Generator) -> Tensor:
    """Return a number in -1..1 for each image, `(B, 1, 1, 1)`."""
    return draw_uniform(images, generator, 1.0)[:, None, None, None]


def _change_thickness(ink: Tensor, generator: torch.Generator, limit: float) -> Tensor:
    amount = limit * _draw(ink, generator)
    thicker = functional.max_pool2d(ink, 3, stride=1, padding=1)
    thinner = -functional.max_pool2d(-ink, 3, stride=1, padding=1)
    # Where a stroke is thin, half of it is left at least.
    thinner = torch.maximum(thinner, 0.5 * ink)
    return torch.where(amount > 0, ink + amount * (thicker - ink), ink - amount * (thinner - ink))


def _coarsen(ink: Tensor, generator: torch.Generator, limit: float) -> Tensor:
    """Lower the resolution of every other line, all of a batch alike."""
    draw = torch.rand(1, generator=generator, device=ink.device)
    factor = float(1 + (limit - 1) * draw)
    size = (max(8, round(ink.shape[2] / factor)), max(8, round(ink.shape[3] / factor)))
    coarse = ink.clone()
    small = functional.interpolate(ink[::2], size=size, mode="area")
    coarse[::2] = functional.interpolate(small, size=ink.shape[2:], mode="bilinear")
    return coarse


def _rule(ink: Tensor, generator: torch.Generator, share: float) -> Tensor:
    """Draw a rule, one to three pixels thick, through some lines: level, or upright."""
    for axis in (2, 3):
        shape = (len(ink), 1, 1, 1)
        place, thickness, strength, draw = (
            torch.rand(shape, generator=generator, device=ink.device) for _ in range(4)
        )
        size = ink.shape[axis]
        pixels = torch.arange(size, device=ink.device)
        pixels = pixels[None, None, :, None] if axis == 2 else pixels[None, None, None, :]
        is_near = (pixels - place * size).abs() <= 0.4 + 1.2 * thickness
        ink = torch.maximum(ink, is_near * (0.3 + 0.7 * strength) * (draw < share))
    return ink
