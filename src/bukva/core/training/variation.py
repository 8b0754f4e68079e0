"""Random variation of images, a whole batch at once, on the device it lies on.

Shapes: N images, C channels, H x W pixels.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional


def draw_uniform(images_NCHW: Tensor, generator: torch.Generator, limit: float) -> Tensor:
    """Draw one number in -limit..limit for each image."""
    draw_N = torch.rand(len(images_NCHW), generator=generator, device=images_NCHW.device)
    return (2.0 * draw_N - 1.0) * limit


def draw_affine_grid(
    images_NCHW: Tensor,
    generator: torch.Generator,
    *,
    rotation_deg: float,
    scale: float,
    slant: float,
    shift: float,
) -> Tensor:
    """Return `(N, H, W, 2)`, where each image is looked up once it is turned, stretched and moved.

    Args:
        images_NCHW: Whose shape and device count.
        generator: Source of all randomness.
        rotation_deg: Largest turn, either way.
        scale: Largest stretch of each axis, as a share.
        slant: Largest shear of the verticals.
        shift: Largest move, as a share of half the image.
    """

    def draw(limit: float) -> Tensor:
        return draw_uniform(images_NCHW, generator, limit)

    turn_N = draw(math.radians(rotation_deg))
    scale_x_N, scale_y_N = 1 + draw(scale), 1 + draw(scale)
    slant_N = draw(slant)
    cos_N, sin_N = torch.cos(turn_N), torch.sin(turn_N)
    rows = [
        torch.stack([cos_N * scale_x_N, (slant_N - sin_N) * scale_y_N, draw(shift)], 1),
        torch.stack([sin_N * scale_x_N, cos_N * scale_y_N, draw(shift)], 1),
    ]
    return functional.affine_grid(
        torch.stack(rows, 1), list(images_NCHW.shape), align_corners=False
    )
