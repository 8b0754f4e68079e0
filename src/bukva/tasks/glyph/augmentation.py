"""Random variation of framed symbols, a whole batch at once, on the device it lies on.

Shapes: N images, H x W pixels, F page features, G nodes a side of the elastic grid.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

from bukva.core.training.variation import draw_affine_grid, draw_uniform
from bukva.tasks.glyph.parameters import AugmentationParameters


def augment_images(
    images_N1HW: Tensor, parameters: AugmentationParameters, generator: torch.Generator
) -> Tensor:
    """Return images bent, turned and redrawn with another pen, one random draw for each.

    Affine and elastic displacement are one `grid_sample` (Simard et al. 2003, section 2, for the
    elastic part); then the pen gets thicker or thinner, the ink paler, its edges soft or hard.

    Args:
        images_N1HW: float, ink 0..1 on zero.
        parameters: Ranges of the variation.
        generator: Source of all randomness, on the images' device.

    Returns:
        float `(N, 1, H, W)`, ink 0..1.
    """
    grid_NHW2 = draw_affine_grid(
        images_N1HW,
        generator,
        rotation_deg=parameters.rotation_deg,
        scale=parameters.scale,
        slant=parameters.slant,
        shift=parameters.shift,
    )
    grid_NHW2 = grid_NHW2 + _elastic_offsets(images_N1HW, parameters, generator)
    bent_N1HW = functional.grid_sample(
        images_N1HW, grid_NHW2, mode="bilinear", padding_mode="zeros", align_corners=False
    )
    drawn_N1HW = _vary_pen(bent_N1HW.clamp(0.0, 1.0), parameters, generator)
    return _vary_texture(drawn_N1HW, parameters, generator)


def lend_page(
    page_NF: Tensor, may_borrow_N: Tensor, share: float, generator: torch.Generator
) -> Tensor:
    """Return page features in which some symbols without a page stand where another one does.

    A corpus that was cut to the ink would else teach that what is drawn on a page is never one of
    its symbols.

    Args:
        page_NF: Page features, NaN where unknown.
        may_borrow_N: bool, whose size says nothing about them: digits, not letters with a case.
        share: Of those that may and need to, how many do, 0..1.
        generator: Source of all randomness.
    """
    is_unknown_N = torch.isnan(page_NF).all(dim=1)
    lenders_M = torch.nonzero(~is_unknown_N).squeeze(1)
    draw_N, pick_N = torch.rand((2, len(page_NF)), generator=generator, device=page_NF.device)
    if not len(lenders_M):
        return page_NF
    borrows_N = is_unknown_N & may_borrow_N & (draw_N < share)
    lent_NF = page_NF[lenders_M[(pick_N * len(lenders_M)).long()]]
    return torch.where(borrows_N[:, None], lent_NF, page_NF)


def augment_page(
    page_NF: Tensor, parameters: AugmentationParameters, generator: torch.Generator
) -> Tensor:
    """Return page features scaled a little, and forgotten (NaN) at random.

    Size and position are forgotten apart, so that a network uses one without the other; a symbol
    whose page is not known keeps NaN.
    """
    count = len(page_NF)

    def draw(columns: int) -> Tensor:
        return torch.rand((count, columns), generator=generator, device=page_NF.device)

    scale_N1 = 1.0 + parameters.page_scale * (2.0 * draw(1) - 1.0)
    shift_N2 = parameters.page_shift * (2.0 * draw(2) - 1.0)
    size_N2, position_N2 = page_NF[:, :2] * scale_N1, page_NF[:, 2:] + shift_N2
    forgotten_N2 = draw(2) < parameters.page_dropout
    return torch.cat(
        [
            size_N2.masked_fill(forgotten_N2[:, :1], math.nan),
            position_N2.masked_fill(forgotten_N2[:, 1:], math.nan),
        ],
        dim=1,
    )


def _elastic_offsets(
    images_N1HW: Tensor, parameters: AugmentationParameters, generator: torch.Generator
) -> Tensor:
    count, _, height, width = images_N1HW.shape
    nodes = parameters.elastic_nodes
    noise_N2GG = torch.randn(
        (count, 2, nodes, nodes), generator=generator, device=images_N1HW.device
    )
    offsets_N2HW = functional.interpolate(
        noise_N2GG * parameters.elastic_strength, (height, width), mode="bicubic"
    )
    return offsets_N2HW.permute(0, 2, 3, 1)


def _vary_pen(
    images_N1HW: Tensor, parameters: AugmentationParameters, generator: torch.Generator
) -> Tensor:
    """Blend towards the dilated (thicker) or the eroded (thinner) image."""
    amount_N111 = draw_uniform(images_N1HW, generator, parameters.pen_width)[:, None, None, None]
    thicker_N1HW = functional.max_pool2d(images_N1HW, 3, stride=1, padding=1)
    thinner_N1HW = -functional.max_pool2d(-images_N1HW, 3, stride=1, padding=1)
    target_N1HW = torch.where(amount_N111 > 0, thicker_N1HW, thinner_N1HW)
    return torch.lerp(images_N1HW, target_N1HW, amount_N111.abs())


def _vary_texture(
    images_N1HW: Tensor, parameters: AugmentationParameters, generator: torch.Generator
) -> Tensor:
    """Vary how pale the ink and how soft its edges are.

    Each corpus was resampled in its own way. A network that can see which, reads the corpus
    instead of the symbol: digits of one, letters of another.
    """

    def draw(limit: float) -> Tensor:
        return draw_uniform(images_N1HW, generator, limit)[:, None, None, None]

    softness_N111 = draw(parameters.ink_softness)
    blurred_N1HW = functional.avg_pool2d(images_N1HW, 3, stride=1, padding=1)
    soft_N1HW = torch.lerp(images_N1HW, blurred_N1HW, softness_N111.clamp(min=0.0))
    gain_N111 = 1.0 + 4.0 * (-softness_N111).clamp(min=0.0)
    # Around half of its darkest: around a fixed tone, pale ink would vanish.
    middle_N111 = soft_N1HW.amax((1, 2, 3), keepdim=True) / 2
    hard_N1HW = ((soft_N1HW - middle_N111) * gain_N111 + middle_N111).clamp(0.0, 1.0)
    return hard_N1HW ** torch.exp(draw(parameters.ink_gamma))
