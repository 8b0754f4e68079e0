"""Pages full of grey: noise of several grains, and pieces of photographs.

Shapes: S side of the page, H x W pixels of a photograph.
"""

from functools import lru_cache
from typing import Final

import numpy as np
from PIL import Image

from bukva.data.nonsymbols.kinds import Variation
from bukva.data.samples import Float32Array, UInt8Array

_PATCH_SHARE: Final = 0.3
"""Share of pages on which the texture is a patch on white paper."""
_SMALLEST_CROP_PX: Final = 90


def draw_noise(rng: np.random.Generator, variation: Variation) -> UInt8Array:
    """Return a page of noise: even, in soft clouds, or as sparse specks; tests mix the grains."""
    forms = (_even, _clouds, _specks, *((_octaves,) if variation.has_more_forms else ()))
    side_px = int(rng.integers(*variation.page_px))
    return _on_page(forms[rng.integers(len(forms))](rng, side_px), rng)


def draw_photo(rng: np.random.Generator, variation: Variation) -> UInt8Array:
    """Return a piece of a photograph, turned, mirrored and toned; tests take another photograph."""
    photos = load_photos()
    names = ("flower",) if variation.has_more_forms else ("china", "hopper")
    photo = Image.fromarray(photos[names[rng.integers(len(names))]])
    side = int(rng.integers(_SMALLEST_CROP_PX, min(photo.size)))
    left, top = (int(rng.integers(0, length - side + 1)) for length in photo.size)
    side_px = int(rng.integers(*variation.page_px))
    piece = photo.crop((left, top, left + side, top + side)).resize((side_px, side_px))
    grey_SS = np.asarray(piece, dtype=np.float32)
    grey_SS = np.rot90(grey_SS, int(rng.integers(4)))[:, :: int(rng.choice([-1, 1]))]
    tone_SS = _stretch(grey_SS) ** np.float32(np.exp(rng.uniform(-0.5, 0.5)))
    return _on_page(1 - tone_SS if rng.random() < 0.3 else tone_SS, rng)


@lru_cache(maxsize=1)
def load_photos() -> dict[str, UInt8Array]:
    """Return grey photographs `(H, W)`: two of scikit-learn's, and the portrait of matplotlib."""
    from matplotlib import cbook
    from sklearn.datasets import load_sample_images

    china, flower = load_sample_images().images
    hopper = np.asarray(Image.open(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)))
    photos = {"china": china, "flower": flower, "hopper": hopper}
    return {name: np.asarray(Image.fromarray(photo).convert("L")) for name, photo in photos.items()}


def _even(rng: np.random.Generator, side_px: int) -> Float32Array:
    """Every cell by itself, a pixel or many wide."""
    cells = max(8, side_px // int(rng.integers(1, 13)))
    tones = rng.random((cells, cells), dtype=np.float32)
    return _enlarge(tones, side_px, Image.Resampling.NEAREST)


def _clouds(rng: np.random.Generator, side_px: int) -> Float32Array:
    """Soft patches, a few on the page or hundreds."""
    cells = int(rng.integers(6, 40))
    tones = rng.standard_normal((cells, cells), dtype=np.float32)
    return _stretch(_enlarge(tones, side_px, Image.Resampling.BICUBIC))


def _specks(rng: np.random.Generator, side_px: int) -> Float32Array:
    """Dark grains strewn on white."""
    cells = side_px // int(rng.integers(1, 6))
    is_dark = rng.random((cells, cells), dtype=np.float32) < np.exp(rng.uniform(-4.5, -1.0))
    is_dark[tuple(rng.integers(cells, size=(2, 12)))] = True
    return _enlarge(1 - is_dark.astype(np.float32), side_px, Image.Resampling.NEAREST)


def _octaves(rng: np.random.Generator, side_px: int) -> Float32Array:
    """Clouds of all sizes on top of each other."""
    clouds = [_clouds(rng, side_px) * np.float32(rng.uniform(0.3, 1.0)) for _ in range(3)]
    return _stretch(np.sum(clouds, axis=0, dtype=np.float32))


def _enlarge(tones: Float32Array, side_px: int, how: Image.Resampling) -> Float32Array:
    return np.asarray(Image.fromarray(tones).resize((side_px, side_px), how))


def _stretch(tones: Float32Array) -> Float32Array:
    """Return tones from 0 to 1; the least contrast is taken for one."""
    low, high = float(tones.min()), float(tones.max())
    stretched: Float32Array = (tones - np.float32(low)) / np.float32(max(high - low, 1.0e-6))
    return stretched


def _on_page(tones_SS: Float32Array, rng: np.random.Generator) -> UInt8Array:
    """Return tones 0..1 as grey levels, over the whole page or as a patch on white."""
    grey_SS: UInt8Array = np.rint(255 * tones_SS).astype(np.uint8)
    if rng.random() >= _PATCH_SHARE:
        return grey_SS
    side_px = len(grey_SS)
    height, width = (int(length) for length in rng.integers(side_px // 3, side_px - 8, size=2))
    top, left = int(rng.integers(4, side_px - height)), int(rng.integers(4, side_px - width))
    page_SS = np.full_like(grey_SS, 255)
    patch_HW = np.asarray(Image.fromarray(grey_SS).resize((width, height)))
    page_SS[top : top + height, left : left + width] = patch_HW
    return page_SS
