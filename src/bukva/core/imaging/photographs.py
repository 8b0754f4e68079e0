"""Handwriting as a phone sees it: set on a sheet, lit, disturbed, photographed and compressed.

A style says all that can be told before the symbol is known; whatever is random beyond it (grain,
clouds, noise) comes from the generator. The same seed gives the same pictures.

Shapes: N pictures, C channels (RGB, 0..1), H x W pixels.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import cv2
import numpy as np

from bukva.core.arrays import Float32Array, UInt8Array
from bukva.core.imaging.papers import (
    DeskStyle,
    SheetStyle,
    blend,
    draw_desk_style,
    draw_log,
    draw_sheet,
    draw_sheet_style,
    lay_on_desk,
    take_noise,
)
from bukva.core.imaging.pens import (
    PenStyle,
    change_width,
    draw_pen_style,
    enlarge_frame,
    write_ink,
)


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


class PhotoStyle(NamedTuple):
    """A photograph of one symbol.

    Attributes:
        shape: Height and width of the picture.
        symbol: Longer side of the symbol, as a share of the picture's shorter side.
        place: Of the symbol in what the picture leaves it, downwards and to the right, 0..1.
        sheet: What it is written on.
        pen: What it is written with.
        desk: What is seen around the sheet; None for nothing.
        light: How it is lit.
        camera: What becomes of it.
        neighbour: At which side another symbol reaches in, 0..3; None for nowhere.
        dirt: Names of what else is on the sheet, of `DIRT`.
    """

    shape: tuple[int, int]
    symbol: float
    place: tuple[float, float]
    sheet: SheetStyle
    pen: PenStyle
    desk: DeskStyle | None
    light: LightStyle
    camera: CameraStyle
    neighbour: int | None
    dirt: tuple[str, ...]


_LEAST_DRAWN_PX: Final = 96
"""A picture smaller than this is drawn larger, then shrunk, as a lens and a sensor do."""


def draw_photo_style(rng: np.random.Generator, side_px: tuple[int, int] = (32, 320)) -> PhotoStyle:
    """Return a random style, wide enough to train on.

    Args:
        rng: Of all that is drawn.
        side_px: Limits of the picture's shorter side, at most 480.
    """
    shorter = round(draw_log(rng, *side_px))
    longer = round(shorter * rng.uniform(1.0, 1.3)) if rng.random() < 0.3 else shorter
    sheet = draw_sheet_style(rng)
    return PhotoStyle(
        shape=(shorter, longer) if rng.random() < 0.5 else (longer, shorter),
        symbol=rng.uniform(0.3, 0.95) if shorter >= 64 else rng.uniform(0.5, 0.95),
        place=(rng.random(), rng.random()),
        sheet=sheet,
        pen=draw_pen_style(rng, sheet),
        desk=draw_desk_style(rng) if rng.random() < 0.15 else None,
        light=_draw_light(rng),
        camera=_draw_camera(rng),
        neighbour=int(rng.integers(4)) if rng.random() < 0.15 else None,
        dirt=tuple(name for name, share in _DIRT_SHARES.items() if rng.random() < share),
    )


def _draw_light(rng: np.random.Generator) -> LightStyle:
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


def _draw_camera(rng: np.random.Generator) -> CameraStyle:
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


def photograph_frames(
    frames_NHW: UInt8Array,
    seed: int,
    indices_N: Sequence[int] | None = None,
    neighbours_MHW: UInt8Array | None = None,
    side_px: tuple[int, int] = (32, 320),
) -> list[UInt8Array]:
    """Return photographs of framed symbols, each with a style of its own.

    Each has a generator of its own, of the seed and its index: in which parts they are made
    changes nothing.

    Args:
        frames_NHW: uint8, ink high on zero; an empty frame gives an empty sheet.
        seed: Not negative.
        indices_N: One for each frame; by default its number.
        neighbours_MHW: Frames to take symbols from that reach into the picture or shine through;
            without, the symbol itself, upside down.
        side_px: Limits of the picture's shorter side, at most 480.

    Returns:
        For each frame a picture RGB `(H, W, 3)`, of any size.
    """
    indices = range(len(frames_NHW)) if indices_N is None else indices_N
    pictures = []
    for frame_HW, index in zip(frames_NHW, indices, strict=True):
        rng = np.random.default_rng((seed, int(index)))
        style = draw_photo_style(rng, side_px)
        longest_px = _symbol_px(style)
        if neighbours_MHW is None:
            other_HW = frame_HW[::-1]
        else:
            other_HW = neighbours_MHW[rng.integers(len(neighbours_MHW))]
        ink_HW = enlarge_frame(frame_HW, longest_px, rng)
        other_HW = enlarge_frame(np.ascontiguousarray(other_HW), longest_px, rng)
        pictures.append(photograph(ink_HW, style, rng, other_HW))
    return pictures


def photograph(
    ink_HW: Float32Array | UInt8Array,
    style: PhotoStyle,
    rng: np.random.Generator,
    other_HW: Float32Array | UInt8Array | None = None,
) -> UInt8Array:
    """Return a photograph of a symbol.

    Args:
        ink_HW: Its ink, cut out, 0..1 or uint8, ink high on zero.
        style: What it is set on, and how it is photographed.
        rng: Of grain, clouds and noise.
        other_HW: The ink of another symbol, for what reaches into the picture or shines through.

    Returns:
        Picture RGB `(H, W, 3)`, uint8, of the style's shape.
    """
    shape = _drawn_shape(style)
    longest_px = _symbol_px(style)
    symbol_HW = _to_size(ink_HW, longest_px)
    other = symbol_HW[::-1, ::-1] if other_HW is None else _to_size(other_HW, longest_px)
    top, left = (
        round(place * (side - length))
        for place, side, length in zip(style.place, shape, symbol_HW.shape, strict=True)
    )
    page_HW = np.zeros(shape, dtype=np.float32)
    _put(page_HW, symbol_HW, top, left)
    if style.neighbour is not None:
        _put(page_HW, other, *_beside(style.neighbour, other.shape, shape, rng))
    page_HW = change_width(page_HW, style.pen.thicker * longest_px)
    picture_CHW = draw_sheet(style.sheet, shape, longest_px, rng)
    if "bleed" in style.dirt:
        _shine_through(picture_CHW, other, style.pen, rng)
    write_ink(picture_CHW, page_HW, style.pen, rng)
    if style.desk is not None:
        box = (top, top + symbol_HW.shape[0], left, left + symbol_HW.shape[1])
        lay_on_desk(picture_CHW, style.desk, box, rng)
    for name in style.dirt:
        if name in DIRT:
            DIRT[name](picture_CHW, longest_px, rng)
    _light(picture_CHW, style.light, rng)
    return _expose(picture_CHW, style, rng)


def _drawn_shape(style: PhotoStyle) -> tuple[int, int]:
    height, width = style.shape
    factor = -(-_LEAST_DRAWN_PX // min(style.shape))
    return height * factor, width * factor


def _symbol_px(style: PhotoStyle) -> int:
    """Return the longer side of the symbol as it is drawn."""
    return max(8, round(style.symbol * min(_drawn_shape(style))))


def _to_size(ink_HW: Float32Array | UInt8Array, longest_px: int) -> Float32Array:
    """Return ink 0..1 with the longer side as asked."""
    height, width = ink_HW.shape
    scale = longest_px / max(height, width)
    symbol_HW = ink_HW.astype(np.float32)
    if ink_HW.dtype == np.uint8:
        symbol_HW *= np.float32(1 / 255)
    if scale == 1:
        return symbol_HW
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(symbol_HW, size, interpolation=how))


def _put(page_HW: Float32Array, symbol_HW: Float32Array, top: int, left: int) -> None:
    """Lay a symbol on a page that need not hold all of it, in place."""
    rows = slice(max(top, 0), min(top + symbol_HW.shape[0], page_HW.shape[0]))
    columns = slice(max(left, 0), min(left + symbol_HW.shape[1], page_HW.shape[1]))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return
    piece_HW = symbol_HW[
        rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
    ]
    np.maximum(page_HW[rows, columns], piece_HW, out=page_HW[rows, columns])


def _beside(
    side: int, size: Sequence[int], shape: tuple[int, int], rng: np.random.Generator
) -> tuple[int, int]:
    """Return the top left corner of a symbol of which a part reaches in at one side."""
    axis, is_far = divmod(side, 2)
    corner = [round(rng.uniform(-0.2, 0.8) * (shape[at] - 0.5 * size[at])) for at in (0, 1)]
    inside = round(rng.uniform(0.08, 0.4) * size[axis])
    corner[axis] = shape[axis] - inside if is_far else inside - size[axis]
    return corner[0], corner[1]


def _shine_through(
    picture_CHW: Float32Array, other_HW: Float32Array, pen: PenStyle, rng: np.random.Generator
) -> None:
    """Let the back of the sheet be seen, faint and blurred, in place."""
    page_HW = np.zeros(picture_CHW.shape[1:], dtype=np.float32)
    places = zip(page_HW.shape, other_HW.shape, strict=True)
    top, left = (
        int(rng.integers(-length // 2, max(1, side - length // 2))) for side, length in places
    )
    _put(page_HW, other_HW[:, ::-1], top, left)
    faint_HW = cv2.GaussianBlur(page_HW, (0, 0), 1.5) * np.float32(rng.uniform(0.03, 0.12))
    blend(picture_CHW, faint_HW, pen.colour)


def _add_specks(picture_CHW: Float32Array, symbol_px: int, rng: np.random.Generator) -> None:
    """Strew a few dots, dark or light."""
    for _ in range(int(rng.integers(1, 8))):
        _add_disc(picture_CHW, symbol_px * draw_log(rng, 0.004, 0.015), rng.random() < 0.7, rng)


def _add_hole(picture_CHW: Float32Array, symbol_px: int, rng: np.random.Generator) -> None:
    """Punch a hole near an edge, dark or light as what lies below."""
    _add_disc(
        picture_CHW, symbol_px * rng.uniform(0.08, 0.2), rng.random() < 0.6, rng, at_edge=True
    )


def _add_disc(
    picture_CHW: Float32Array,
    radius_px: float,
    is_dark: bool,
    rng: np.random.Generator,
    at_edge: bool = False,
) -> None:
    height, width = picture_CHW.shape[1:]
    place_2 = rng.random(2)
    if at_edge:
        place_2[int(rng.integers(2))] = rng.choice([0.03, 0.97])
    mask_HW = np.zeros((height, width), dtype=np.uint8)
    middle = (round(place_2[0] * width * 16), round(place_2[1] * height * 16))
    cv2.circle(mask_HW, middle, max(6, round(radius_px * 16)), 255, -1, cv2.LINE_AA, 4)
    tone = rng.uniform(0.05, 0.4) if is_dark else rng.uniform(0.9, 1.0)
    blend(picture_CHW, mask_HW * np.float32(1 / 255), (tone, tone, tone))


def _add_staple(picture_CHW: Float32Array, symbol_px: int, rng: np.random.Generator) -> None:
    """Put a staple near an edge: a short stroke of metal, light above and dark below."""
    height, width = picture_CHW.shape[1:]
    middle_2 = rng.random(2) * (width, height)
    axis = int(rng.integers(2))
    middle_2[axis] = rng.choice([0.06, 0.94]) * (width, height)[axis]
    angle, half = rng.uniform(0, np.pi), symbol_px * rng.uniform(0.08, 0.18)
    reach_2 = half * np.array([np.cos(angle), np.sin(angle)])
    thickness = max(1, round(0.02 * symbol_px))
    for shift, tone in ((0, rng.uniform(0.15, 0.4)), (-thickness, rng.uniform(0.6, 0.9))):
        mask_HW = np.zeros((height, width), dtype=np.uint8)
        ends = [(int(x), int(y) + shift) for x, y in (middle_2 - reach_2, middle_2 + reach_2)]
        cv2.line(mask_HW, ends[0], ends[1], 255, thickness, cv2.LINE_AA)
        blend(picture_CHW, mask_HW * np.float32(1 / 255), (tone, tone, tone))


def _add_smear(picture_CHW: Float32Array, symbol_px: int, rng: np.random.Generator) -> None:
    """Wipe over the sheet: a broad streak a little lighter or darker."""
    height, width = picture_CHW.shape[1:]
    mask_HW = np.zeros((height, width), dtype=np.uint8)
    ends = rng.integers(0, max(height, width), (2, 2)).tolist()
    cv2.line(mask_HW, ends[0], ends[1], 255, max(2, round(symbol_px * rng.uniform(0.1, 0.4))))
    soft_HW = cv2.blur(mask_HW, (symbol_px // 8 + 1, symbol_px // 8 + 1)) * np.float32(1 / 255)
    streaks_HW = np.clip(take_noise(rng, soft_HW.shape) * np.float32(0.3) + 1, 0, 2)
    picture_CHW += soft_HW * streaks_HW * np.float32(rng.choice([-0.08, 0.1, 0.16]))


_DIRT_SHARES: Final = {
    "bleed": 0.05, "specks": 0.12, "hole": 0.03, "staple": 0.03, "smear": 0.05, "pixel": 0.04,
}  # fmt: skip
DIRT: Final[dict[str, Callable[[Float32Array, int, np.random.Generator], None]]] = {
    "specks": _add_specks,
    "hole": _add_hole,
    "staple": _add_staple,
    "smear": _add_smear,
}
"""What is drawn on the sheet beside the symbol, in place; a dead `pixel` is the camera's."""

_COARSE_PX: Final = 24


def _light(picture_CHW: Float32Array, style: LightStyle, rng: np.random.Generator) -> None:
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


def _expose(picture_CHW: Float32Array, style: PhotoStyle, rng: np.random.Generator) -> UInt8Array:
    """Return what the camera makes of a lit scene."""
    camera = style.camera
    np.clip(picture_CHW, 0, 1, out=picture_CHW)
    picture_CHW *= np.float32(255)
    picture_HWC = np.asarray(cv2.merge(list(picture_CHW.astype(np.uint8))))
    side = min(picture_HWC.shape[:2])
    if camera.blur * side > 0.3:
        picture_HWC = cv2.GaussianBlur(picture_HWC, (0, 0), camera.blur * side)
    if camera.motion * side >= 2:
        picture_HWC = cv2.filter2D(picture_HWC, -1, _motion(camera.motion * side, rng))
    if picture_HWC.shape[:2] != style.shape:
        picture_HWC = cv2.resize(picture_HWC, style.shape[::-1], interpolation=cv2.INTER_AREA)
    picture_HWC = _add_noise(picture_HWC, camera, rng)
    picture_HWC = cv2.LUT(picture_HWC, _tone_curves(camera))
    if "pixel" in style.dirt:
        y, x = (int(rng.integers(side)) for side in style.shape)
        picture_HWC[y, x] = rng.choice([0, 255])
    if camera.jpeg_quality is None:
        return np.asarray(picture_HWC)
    # OpenCV takes the channels for blue, green, red, and gives them back in that order.
    bgr_HWC = cv2.cvtColor(picture_HWC, cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(".jpg", bgr_HWC, [cv2.IMWRITE_JPEG_QUALITY, camera.jpeg_quality])
    decoded_HWC = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
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
    return line / line.sum()


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
    return curves_VC.astype(np.uint8)[None]
