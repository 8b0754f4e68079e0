"""The light on a sheet, and what a camera makes of it.

Shapes: C channels (RGB, 0..1), H x W pixels, a coarse grid of G x G.
"""

from typing import Final, NamedTuple

import cv2
import numpy as np

from bukva.core.arrays import Float32Array, UInt8Array
from bukva.core.imaging.painting import blend, draw_log, take_noise


class LightStyle(NamedTuple):
    """How the sheet is lit.

    Attributes:
        falloff: Share of the light that is lost from one side to the other.
        direction: Towards which side, in radians.
        clouds: Depth of soft shadows.
        vignette: Share of the light that is lost in the corners.
        shadow: Share of the light that a shadow with an edge takes; 0 for none.
        shadow_edge: How soft that edge is, as a share of the picture.
        glare: How far a lamp's reflection whitens the sheet; 0 for none.
    """

    falloff: float
    direction: float
    clouds: float
    vignette: float
    shadow: float
    shadow_edge: float
    glare: float


class CameraStyle(NamedTuple):
    """What becomes of the light.

    Attributes:
        blur: Of a lens out of focus, as a share of the picture's side.
        motion: Length of the way that the hand moved, likewise.
        noise: Of the sensor, in grey levels.
        colour_noise: Share of it that differs from channel to channel.
        gains: Of red, green and blue: exposure and white balance.
        gamma: Of the tones.
        jpeg_quality: None for a file without loss.
    """

    blur: float
    motion: float
    noise: float
    colour_noise: float
    gains: tuple[float, float, float]
    gamma: float
    jpeg_quality: int | None


def draw_light_style(rng: np.random.Generator) -> LightStyle:
    """Return a random light; one in five has a shadow with an edge."""
    has_shadow, has_glare = rng.random() < 0.2, rng.random() < 0.08
    return LightStyle(
        falloff=rng.uniform(0.0, 0.6) if rng.random() < 0.6 else 0.0,
        direction=rng.uniform(0, 2 * np.pi),
        clouds=rng.uniform(0.0, 0.12),
        vignette=rng.uniform(0.0, 0.3) if rng.random() < 0.5 else 0.0,
        shadow=rng.uniform(0.15, 0.65) if has_shadow else 0.0,
        shadow_edge=draw_log(rng, 0.005, 0.3),
        glare=rng.uniform(0.2, 0.9) if has_glare else 0.0,
    )


def draw_camera_style(rng: np.random.Generator) -> CameraStyle:
    """Return a random camera; most write JPEG."""
    exposure = np.exp(rng.normal(0, 0.13))
    red, green, blue = (exposure * np.exp(rng.normal(0, 0.05, 3))).tolist()
    return CameraStyle(
        blur=draw_log(rng, 0.002, 0.022),
        motion=rng.uniform(0.0, 0.06) if rng.random() < 0.12 else 0.0,
        noise=draw_log(rng, 0.5, 12.0),
        colour_noise=rng.uniform(0.0, 1.0),
        gains=(red, green, blue),
        gamma=np.exp(rng.normal(0, 0.15)),
        jpeg_quality=int(rng.integers(15, 96)) if rng.random() < 0.85 else None,
    )


_COARSE_PX: Final = 24


def light_sheet(picture_CHW: Float32Array, style: LightStyle, rng: np.random.Generator) -> None:
    """Light a picture, in place: what is soft is worked out on a coarse grid."""
    height, width = picture_CHW.shape[1:]
    axis = np.linspace(-1, 1, _COARSE_PX, dtype=np.float32)
    y_G1, x_1G = axis[:, None], axis
    towards_GG = y_G1 * np.sin(style.direction) + x_1G * np.cos(style.direction)
    light_GG = 1 - style.falloff * np.clip(0.5 + 0.5 * towards_GG / rng.uniform(0.4, 1.4), 0, 1)
    light_GG = light_GG * (1 - style.vignette * 0.5 * (y_G1**2 + x_1G**2))
    soft_GG = cv2.resize(
        rng.standard_normal((3, 3), dtype=np.float32), (_COARSE_PX, _COARSE_PX),
        interpolation=cv2.INTER_CUBIC,
    )  # fmt: skip
    light_GG = np.clip(light_GG * (1 + style.clouds * soft_GG), 0.2, 1.3).astype(np.float32)
    light_HW = cv2.resize(light_GG, (width, height), interpolation=cv2.INTER_LINEAR)
    if style.shadow:
        light_HW *= _shadow(style, (height, width), rng)
    picture_CHW *= light_HW
    if style.glare:
        y_2 = rng.uniform(-1, 1, 2)
        radius = rng.uniform(0.15, 0.7)
        spot_GG = np.exp(-((y_G1 - y_2[0]) ** 2 + (x_1G - y_2[1]) ** 2) / (2 * radius**2))
        spot_GG = (style.glare * spot_GG).astype(np.float32)
        blend(picture_CHW, cv2.resize(spot_GG, (width, height)), (1.0, 1.0, 0.98))


def _shadow(style: LightStyle, shape: tuple[int, int], rng: np.random.Generator) -> Float32Array:
    """Return the light `(H, W)` that a shadow with one or two straight edges leaves."""
    height, width = shape
    y_H1 = np.arange(height, dtype=np.float32)[:, None] / height - np.float32(0.5)
    x_1W = np.arange(width, dtype=np.float32) / width - np.float32(0.5)
    dark_HW = np.ones(shape, dtype=np.float32)
    for _ in range(int(rng.integers(1, 3))):
        angle, offset = rng.uniform(0, 2 * np.pi), rng.uniform(-0.3, 0.3)
        beyond_HW = y_H1 * np.float32(np.sin(angle)) + x_1W * np.float32(np.cos(angle))
        edge_HW = (beyond_HW - np.float32(offset)) * np.float32(1 / style.shadow_edge)
        dark_HW *= np.clip(edge_HW + np.float32(0.5), 0, 1)
    return 1 - np.float32(style.shadow) * dark_HW


def expose(
    picture_CHW: Float32Array,
    camera: CameraStyle,
    shape: tuple[int, int],
    rng: np.random.Generator,
    *,
    has_dead_pixel: bool = False,
) -> UInt8Array:
    """Return what the camera makes of a lit scene.

    Args:
        picture_CHW: The scene; it is changed.
        camera: Lens, sensor and file.
        shape: Height and width of the picture, at most those of the scene.
        rng: Of noise, and of the way that the hand moved.
        has_dead_pixel: Whether one pixel is black or white whatever it sees.

    Returns:
        Picture RGB `(H, W, 3)`, uint8.
    """
    np.clip(picture_CHW, 0, 1, out=picture_CHW)
    picture_CHW *= np.float32(255)
    picture_HWC = np.asarray(cv2.merge(list(picture_CHW.astype(np.uint8))))
    side = min(picture_HWC.shape[:2])
    if camera.blur * side > 0.3:
        picture_HWC = cv2.GaussianBlur(picture_HWC, (0, 0), camera.blur * side)
    if camera.motion * side >= 2:
        picture_HWC = cv2.filter2D(picture_HWC, -1, _motion(camera.motion * side, rng))
    if picture_HWC.shape[:2] != shape:
        picture_HWC = cv2.resize(picture_HWC, shape[::-1], interpolation=cv2.INTER_AREA)
    picture_HWC = _add_noise(picture_HWC, camera, rng)
    picture_HWC = cv2.LUT(picture_HWC, _tone_curves(camera))
    if has_dead_pixel:
        y, x = (int(rng.integers(side)) for side in shape)
        picture_HWC[y, x] = rng.choice([0, 255])
    if camera.jpeg_quality is None:
        return np.asarray(picture_HWC)
    # OpenCV takes the channels for blue, green, red, and gives them back in that order.
    bgr_HWC = cv2.cvtColor(picture_HWC, cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(".jpg", bgr_HWC, [cv2.IMWRITE_JPEG_QUALITY, camera.jpeg_quality])
    decoded_HWC = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR))
    return np.asarray(cv2.cvtColor(decoded_HWC, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def _motion(length_px: float, rng: np.random.Generator) -> Float32Array:
    """Return the kernel of a hand that moved along a line."""
    side = 2 * round(length_px / 2) + 1
    angle = rng.uniform(0, np.pi)
    reach_2 = np.array([np.cos(angle), np.sin(angle)]) * (side // 2)
    ends = [tuple((side // 2 + sign * reach_2).round().astype(int).tolist()) for sign in (-1, 1)]
    kernel = np.zeros((side, side), dtype=np.uint8)
    cv2.line(kernel, ends[0], ends[1], 255, 1, cv2.LINE_AA)
    line: Float32Array = kernel.astype(np.float32)
    line /= line.sum()
    return line


def _add_noise(
    picture_HWC: UInt8Array, camera: CameraStyle, rng: np.random.Generator
) -> UInt8Array:
    shape = picture_HWC.shape[:2]
    common_HW = take_noise(rng, shape)
    own = np.float32(camera.noise * camera.colour_noise)
    shared_HW = common_HW * np.float32(camera.noise)
    planes = [shared_HW + take_noise(rng, shape) * own for _ in range(3)]
    return np.asarray(cv2.add(picture_HWC, cv2.merge(planes), dtype=cv2.CV_8U))


def _tone_curves(camera: CameraStyle) -> UInt8Array:
    """Return the table `(1, 256, 3)` of exposure, white balance and gamma."""
    tones_V = np.linspace(0, 1, 256) ** camera.gamma
    curves_VC = np.clip(255 * tones_V[:, None] * np.array(camera.gains), 0, 255)
    table_1VC: UInt8Array = curves_VC.astype(np.uint8)[None]
    return table_1VC
