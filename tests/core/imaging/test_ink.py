import numpy as np
import pytest
from scipy import ndimage

from bukva.core.imaging.ink import measure_ink


def test_a_bar_is_measured_as_it_was_drawn():
    images = np.zeros((2, 28, 28), np.uint8)
    images[0, 4:24, 10:13] = 255
    images[1, 12:14, 2:26] = 255
    ink = measure_ink(images)
    assert ink.share_N == pytest.approx([60 / 784, 48 / 784])
    assert ink.aspect_N == pytest.approx([3 / 20, 24 / 2])
    assert ink.stroke_width_px_N == pytest.approx([3, 2], rel=0.15)


def test_blur_hardly_changes_the_stroke_width():
    image = np.zeros((1, 28, 28))
    image[0, 4:24, 11:16] = 255
    blurred = ndimage.gaussian_filter(image, (0, 0.7, 0.7))
    sharp, soft = (measure_ink(each.astype(np.uint8)) for each in (image, blurred))
    assert soft.stroke_width_px_N == pytest.approx(sharp.stroke_width_px_N, rel=0.1)


def test_an_empty_image_has_zeros():
    ink = measure_ink(np.zeros((1, 28, 28), np.uint8))
    assert [values.tolist() for values in ink] == [[0.0], [0.0], [0.0]]
