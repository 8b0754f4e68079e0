"""Files of transcribed pages in the forms that programs write, and their images."""

import io
from collections.abc import Sequence

import numpy as np
from line_corpora import draw_page
from PIL import Image

from bukva.core.arrays import UInt8Array

# After the exports of eScriptorium: one String a line, blanks everywhere.
ALTO = """<?xml version="1.0" encoding="UTF-8"?>
<alto xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
      xmlns="http://www.loc.gov/standards/alto/ns-v4#">
  <Description>
    <MeasurementUnit>{unit}</MeasurementUnit>
    <sourceImageInformation><fileName>{image}</fileName></sourceImageInformation>
  </Description>
  <Layout><Page WIDTH="{width}" HEIGHT="{height}" ID="eSc_dummypage_">
    <PrintSpace HPOS="0" VPOS="0"><TextBlock ID="eSc_dummyblock_">
{lines}
    </TextBlock></PrintSpace>
  </Page></Layout>
</alto>
"""
ALTO_LINE = """<TextLine ID="{name}" HPOS="{left}" VPOS="{top}"
  BASELINE="{left} {bottom} {right} {bottom}">
  <Shape><Polygon POINTS="{left} {top} {right} {top} {right} {bottom} {left} {bottom}"/></Shape>
  <String CONTENT="{text}" HPOS="{left}" VPOS="{top}"></String>
</TextLine>"""

# After those of Transkribus, whose elements of its own make them invalid.
PAGE = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<PcGts xmlns="http://schema.primaresearch.org/PAGE/gts/pagecontent/{version}">
  <Metadata><TranskribusMetadata docId="1" status="DONE"/></Metadata>
  <Page imageFilename="{image}" imageWidth="{width}" imageHeight="{height}">
    <ReadingOrder><OrderedGroup id="ro"><RegionRefIndexed index="0" regionRef="r2"/>
      <RegionRefIndexed index="1" regionRef="r1"/></OrderedGroup></ReadingOrder>
    {regions}
  </Page>
</PcGts>
"""


def draw_lines(texts: Sequence[str]) -> tuple[UInt8Array, list[tuple[int, int, int, int]]]:
    """Return a page of lines, and the box of each: left, top, right, bottom."""
    lines = [np.array(Image.open(io.BytesIO(draw_page(text, place))))
             for place, text in enumerate(texts)]  # fmt: skip
    width = 20 + max(line_HW.shape[1] for line_HW in lines)
    page_HW = np.full((20 + sum(len(line_HW) for line_HW in lines), width), 225, dtype=np.uint8)
    boxes, top = [], 10
    for line_HW in lines:
        height, across = line_HW.shape
        page_HW[top : top + height, 10 : 10 + across] = line_HW
        boxes.append((10, top, 10 + across, top + height))
        top += height
    return page_HW, boxes


def encode(pixels: UInt8Array) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def write_alto(
    texts: Sequence[str], boxes: Sequence[tuple[int, int, int, int]], image: str,
    size: tuple[float, float], unit: str = "pixel", scale: float = 1.0,
) -> bytes:  # fmt: skip
    """Return an ALTO file of lines; a scale says how many units a pixel is."""
    lines = [
        ALTO_LINE.format(
            name=f"l{place}", text=text,
            **{name: scale * value for name, value in
               zip(("left", "top", "right", "bottom"), box, strict=True)},
        )
        for place, (text, box) in enumerate(zip(texts, boxes, strict=True))
    ]  # fmt: skip
    width, height = size
    return ALTO.format(
        unit=unit, image=image, width=width, height=height, lines="\n".join(lines)
    ).encode()
