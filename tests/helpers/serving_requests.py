"""Images to send, and the two forms in which they are sent."""

import base64
import io
import json

from PIL import Image, ImageDraw

JSON_TYPE = {"content-type": "application/json"}
BOUNDARY = "xyzzy-boundary"
MULTIPART_TYPE = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}


def draw(side_px: int = 200, pen_px: int = 14) -> Image.Image:
    """A dark corner stroke on a white page, much like a Г turned over."""
    image = Image.new("L", (side_px, side_px), 255)
    near, far = side_px // 4, side_px * 3 // 4
    ImageDraw.Draw(image).line([(near, near), (near, far), (far, far)], fill=0, width=pen_px)
    return image


def draw_at(y_share: float) -> Image.Image:
    """The same, small, and at so much of the height of its page: 0 is the top, 1 the bottom."""
    page, drawing = Image.new("L", (200, 200), 255), draw(side_px=80)
    page.paste(drawing, (60, round(120 * y_share)))
    return page


def encode(image: Image.Image, image_format: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


def base64_text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def json_body(data: bytes, prefix: str = "") -> bytes:
    return json.dumps({"image": prefix + base64_text(data)}).encode()


def part(data: bytes, disposition: str = 'form-data; name="file"; filename="a.png"') -> bytes:
    head = f"--{BOUNDARY}\r\nContent-Disposition: {disposition}\r\n\r\n".encode()
    return head + data + b"\r\n"


def multipart_body(*parts: bytes) -> bytes:
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()
