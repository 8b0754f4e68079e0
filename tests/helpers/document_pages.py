"""Pages with thin strokes, which `density_network` calls handwritten, and thick ones: printed."""

import io
import math

from PIL import Image, ImageDraw


def draw_page(*kinds: str, size: tuple[int, int] = (640, 480)) -> Image.Image:
    """A white page with a line of each kind, `handwritten` or `printed`, from the top down."""
    page = Image.new("L", size, 255)
    for place, kind in enumerate(kinds):
        top = 40 + 90 * place
        if kind == "handwritten":
            _scribble(ImageDraw.Draw(page), top, size[0])
        else:
            _stamp(ImageDraw.Draw(page), top, size[0])
    return page


def _scribble(pen: ImageDraw.ImageDraw, top: int, width: int) -> None:
    points = [(x, top + 25 + round(22 * math.sin(x / 9))) for x in range(40, width - 40)]
    pen.line(points, fill=0, width=2)


def _stamp(pen: ImageDraw.ImageDraw, top: int, width: int) -> None:
    for left in range(40, width - 60, 30):
        pen.rectangle((left, top, left + 12, top + 48), fill=0)


def encode_as(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """The file of an image."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def bind(kind: str, *pages: Image.Image, **options: object) -> bytes:
    """A TIFF or a PDF of several pages."""
    first, *others = pages
    return encode_as(first, kind, save_all=True, append_images=others, **options)


def write_pdf(*objects: str, trailer: str = "") -> bytes:
    """A PDF of these objects, the first of them the catalog."""
    body, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(body))
        body += f"{number} 0 obj\n{content}\nendobj\n".encode("latin-1")
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    end = (
        f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer\n"
        f"<< /Size {len(objects) + 1} /Root 1 0 R {trailer} >>\nstartxref\n{len(body)}\n%%EOF"
    )
    return body + end.encode("latin-1")


EMPTY_PDF = write_pdf("<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [] /Count 0 >>")
ENCRYPTED_PDF = write_pdf(
    "<< /Type /Catalog /Pages 2 0 R >>",
    "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] >>",
    trailer=f"/ID [<{'00' * 16}> <{'00' * 16}>] /Encrypt << /Filter /Standard /V 1 /R 2 /P -4 "
    f"/O <{'11' * 32}> /U <{'22' * 32}> >>",
)
