"""Images as phones, editors and programs write them: over HTTP, on the page, by the command."""

import base64
import io
import os
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from batch_runs import make_project, run_command
from drawing import Sheet
from found_images import FOUND, GREY_HW, PAGE, SYMBOL, deep_png, encode
from image_files import after_header, chunk, chunks_of
from PIL import ExifTags, Image
from serving_servers import Server

pytestmark = pytest.mark.timeout(900)


@pytest.mark.parametrize("name", FOUND)
def test_each_is_read_over_http(released_server: Server, name: str) -> None:
    for request in (
        {"content": FOUND[name], "headers": {"Content-Type": "image/jpeg"}},
        {"json": {"image": base64.b64encode(FOUND[name]).decode()}},
        {"files": {"file": (name, FOUND[name])}},
    ):
        answer = released_server.http.post("/v1/predict", **request)
        assert (answer.status_code, answer.json()["symbol"]) == (200, SYMBOL)


def test_a_file_whose_name_is_no_utf_8_is_read_over_http(released_server: Server) -> None:
    disposition = 'form-data; name="file"; filename="лист.png"'.encode("cp1251")
    body = b"--x\r\nContent-Disposition: %b\r\n\r\n%b\r\n--x--\r\n" % (disposition, encode(PAGE))
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = released_server.http.post("/v1/predict", content=body, headers=headers)
    assert (answer.status_code, answer.json()["symbol"]) == (200, SYMBOL)


def test_animations_stay_refused_over_http(released_server: Server) -> None:
    for format_ in ("PNG", "WEBP"):
        film = encode(PAGE, format_, save_all=True, append_images=[PAGE.rotate(9)])
        answer = released_server.http.post("/v1/predict", files={"file": ("a", film)})
        assert (answer.status_code, answer.json()["code"]) == (422, "undecodable_image")


def test_each_is_read_on_the_page(sheet: Sheet, tmp_path: Path) -> None:
    for name, content in FOUND.items():
        (tmp_path / name).write_bytes(content)
        sheet.page.set_input_files("#file", tmp_path / name)
        sheet.expect_symbol(SYMBOL)
        sheet.page.keyboard.press("Delete")
        sheet.expect_symbol("")


NOTE_SENT = """
const ask = window.fetch;
window.fetch = async (address, request) => {
  if (request?.body instanceof Blob) {
    const bytes = new Uint8Array(await request.body.arrayBuffer());
    window.sent = btoa(bytes.reduce((text, byte) => text + String.fromCharCode(byte), ""));
  }
  return ask(address, request);
};
"""


@pytest.fixture
def send(sheet: Sheet, tmp_path: Path) -> Callable[[bytes], bytes]:
    """Choose a file on the page; return what the page sends of it."""
    sheet.page.add_init_script(NOTE_SENT)
    sheet.page.reload()

    def choose(content: bytes) -> bytes:
        (tmp_path / "chosen").write_bytes(content)
        with sheet.page.expect_response("**/v1/predict**"):
            sheet.page.set_input_files("#file", tmp_path / "chosen")
        return base64.b64decode(sheet.page.evaluate("window.sent"))

    return choose


def test_nothing_but_pixels_leaves_the_page(send: Callable[[bytes], bytes]) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "where I live"
    values_HWC = GREY_HW[..., None].astype(np.uint16) * 4
    bits, text = chunk(b"sBIT", b"\x0a"), chunk(b"tEXt", b"Title\0where I live")
    for content in (
        encode(PAGE, "JPEG", exif=exif),
        encode(PAGE, exif=exif),
        after_header(deep_png(values_HWC), bits, text),
    ):
        assert b"where I live" in content
        sent = send(content)
        assert b"where I live" not in sent
        assert {kind for kind, _, _ in chunks_of(sent)} <= {b"IHDR", b"sBIT", b"IDAT", b"IEND"}


def test_a_large_photo_is_made_small_on_the_page(send: Callable[[bytes], bytes]) -> None:
    """And stays opaque to its edges, whatever its sides are divided by."""
    photo = encode(PAGE.resize((4001, 3001)), "JPEG")
    with Image.open(io.BytesIO(send(photo))) as image:
        assert (image.format, image.size) == ("JPEG", (2048, 1536))
        assert image.convert("RGBA").getextrema()[3] == (255, 255)


@pytest.fixture
def recognise(tmp_path: Path) -> Callable[[str], pd.DataFrame]:
    """Run the command of the batch with the released model; return its predictions."""
    make_project(tmp_path, (files("bukva_released") / "model.onnx").read_bytes())

    def run(images: str) -> pd.DataFrame:
        done = run_command(tmp_path, images=images, results="read", model="local")
        assert done.returncode == 0, done.stdout + done.stderr
        return pd.read_parquet(tmp_path / "read" / "predictions").set_index("image")

    return run


def test_each_file_is_read_by_the_command_whatever_its_name(
    recognise: Callable[[str], pd.DataFrame], tmp_path: Path
) -> None:
    """Names as archives that were packed elsewhere unpack."""
    names = [name.encode() for name in FOUND]
    names += ["лист.png".encode(code) for code in ("utf-8", "cp1251", "cp866")]
    names += ["Букви/а.png".encode("cp1251"), b"two\nlines.png"]
    for name in names:
        path = tmp_path / "scans" / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(FOUND.get(path.name, CONTENT))
    film = encode(PAGE, save_all=True, append_images=[PAGE.rotate(9)])
    (tmp_path / "scans" / "film.png").write_bytes(film)
    found = recognise("scans")
    assert found.pop("error").dropna().to_dict() == {"film.png": "undecodable_image"}
    assert found["symbol"].drop("film.png").eq(SYMBOL).all()
    elsewhere = {r"\xeb\xe8\xf1\xf2.png", r"\xab\xa8\xe1\xe2.png", r"\xc1\xf3\xea\xe2\xe8/\xe0.png"}
    assert set(found.index) == {*FOUND, "лист.png", "two\nlines.png", "film.png"} | elsewhere


def tensors(*rows: list[int | None] | None) -> pa.Array:
    """Arrays of the page's shape, as a column in which some row may have none."""
    storage = pa.array(rows, pa.list_(pa.uint8(), GREY_HW.size))
    return pa.ExtensionArray.from_storage(pa.fixed_shape_tensor(pa.uint8(), GREY_HW.shape), storage)


CONTENT = encode(PAGE)
THREE = [CONTENT, None, CONTENT]
LISTS = [content and list(content) for content in THREE]
HUGGING_FACE = [{"bytes": CONTENT, "path": "a.png"}, {"bytes": None, "path": "b.png"}, None]
PIXELS: list[int | None] = GREY_HW.ravel().tolist()
NAMES_IN_CP1251 = [name.encode("cp1251") for name in ("а", "б", "в")]
TABLES = {
    "bytes": (pa.array(THREE), pa.array([7, None, 9])),
    "dictionary": (pa.array(THREE).dictionary_encode(), pa.array(NAMES_IN_CP1251)),
    "fixed": (pa.array(THREE, pa.binary(len(CONTENT))), pa.array([1.5, 2.5, None])),
    "hugging_face": (pa.array(HUGGING_FACE), pa.array([["x"], ["y"], None])),
    "large": (pa.array(THREE, pa.large_binary()), pa.array(NAMES_IN_CP1251).view(pa.string())),
    "lists": (pa.array(LISTS, pa.list_(pa.uint8())), pa.array(list("xyz")).dictionary_encode()),
    "tensors": (tensors(PIXELS, None, [None, *PIXELS[1:]]), pa.array(["x", None, "z"])),
    "view": (pa.array(THREE, pa.binary_view()), pa.nulls(3)),
}


def test_tables_of_others_are_read_by_the_command(
    recognise: Callable[[str], pd.DataFrame], tmp_path: Path
) -> None:
    """One file a way to write them; in each some row has no image, or no name that is text."""
    (tmp_path / "tables").mkdir()
    for name, (images, ids) in TABLES.items():
        pq.write_table(pa.table({"image": images, "id": ids}), tmp_path / f"tables/{name}.parquet")
    found = recognise("tables")
    cyrillic = [r"\xe0", r"\xe1", r"\xe2"]
    assert found.index.tolist() == [
        *("7", "bytes.parquet#1", "9"),
        *cyrillic,
        *("1.5", "2.5", "fixed.parquet#2"),
        *("['x']", "['y']", "hugging_face.parquet#2"),
        *cyrillic,
        *("x", "y", "z"),
        *("x", "tensors.parquet#1", "z"),
        *(f"view.parquet#{row}" for row in range(3)),
    ]
    is_read = [True, False, True] * len(TABLES)
    for name in ("hugging_face", "tensors"):
        is_read[3 * list(TABLES).index(name) + 2] = False
    assert (found["symbol"] == SYMBOL).tolist() == is_read
    assert (found["error"] == "undecodable_image").tolist() == [not each for each in is_read]
    assert found["error_detail"].dropna().str.startswith("Expected").all()
