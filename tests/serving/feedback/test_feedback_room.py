"""What corrections take of the disk: no more than came in, and no more than there is room for."""

import base64
import io

import numpy as np
import pytest
from feedback_requests import KEY, correction, give, stored
from PIL import ExifTags, Image, ImageDraw
from serving_requests import draw, encode
from serving_servers import wait_for
from test_service_metrics import read_metrics

BLOCK_BYTES = 4096
FIELDS_BYTES = 600  # id, digest, time, model and names of the fields


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "feedback"


@pytest.fixture
def start(serve, folder, tmp_path):
    """Starts the service without a model; it delivers nothing while a test lasts."""
    none = f"sqlite:///{tmp_path / 'none.db'}"

    def start(**settings):
        options = {"feedback_retry_s": 600.0, "tracking_uri": none}
        return serve(feedback_folder=folder, **options | settings)

    return start


def photo(width_px: int, height_px: int) -> Image.Image:
    """Blue ink on uneven, noisy paper, as a telephone sees it."""
    rng = np.random.default_rng(3)
    light = Image.fromarray(rng.integers(150, 230, (6, 8, 3), dtype=np.uint8))
    paper_HWC = np.asarray(light.resize((width_px, height_px), Image.Resampling.BICUBIC))
    noisy_HWC = paper_HWC + rng.normal(0, 6, (height_px, width_px, 3))
    page = Image.fromarray(np.clip(noisy_HWC, 0, 255).astype(np.uint8))
    ink = draw(min(width_px, height_px), pen_px=height_px // 20)
    page.paste((40, 50, 140), mask=ink.point(lambda grey: 255 - grey).resize(page.size))
    return page


def coloured_drawing() -> Image.Image:
    """What a page's canvas sends: opaque RGBA with soft edges."""
    large = Image.new("RGBA", (1024, 1024), "white")
    ImageDraw.Draw(large).line([(300, 200), (700, 250), (720, 800)], (20, 60, 200), width=60)
    return large.resize((512, 512))


def picture_of(record: dict) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(record["image"])))


CAME_IN = {
    "photo of a telephone": encode(photo(1600, 1200), "JPEG", quality=60),
    "its thumbnail": encode(photo(160, 120), "JPEG", quality=60),
    "photo of low quality": encode(photo(480, 360), "JPEG", quality=30),
    "photo in WebP": encode(photo(1024, 768), "WEBP", quality=70),
    "photo that a page painted anew": encode(photo(560, 420)),
    "photo of few colours": encode(photo(480, 360).quantize(64)),
    "scan of one bit a pixel": encode(draw(1990).convert("1")),
}


@pytest.mark.parametrize("image", CAME_IN.values(), ids=CAME_IN)
def test_what_is_stored_is_no_larger_than_what_came_in(start, folder, image):
    body = correction(image=image)
    with start() as server:
        assert give(server, body).status_code == 201
    [path] = folder.glob("*.json")
    assert path.stat().st_size <= len(body["image"]) + FIELDS_BYTES
    [record] = stored(folder)
    assert max(picture_of(record).size) <= 1024


@pytest.mark.parametrize("drawing", [draw(), draw(512), coloured_drawing()])
def test_a_drawing_comes_back_pixel_by_pixel(start, folder, drawing):
    with start() as server:
        assert give(server, correction(image=encode(drawing))).status_code == 201
    found = picture_of(stored(folder)[0]).convert(drawing.mode)
    assert (np.asarray(found) == np.asarray(drawing)).all()


def test_a_photo_is_kept_in_colour_upright_and_without_its_metadata(start, folder):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Artist] = "somebody"
    image = encode(photo(800, 600), "JPEG", exif=exif)
    with start() as server:
        assert give(server, correction(image=image)).status_code == 201
    found = picture_of(stored(folder)[0])
    assert found.size == (600, 800)
    assert not found.getexif()
    # Blue ink, where the turned stroke has its corner.
    red, _, blue = found.resize((8, 8)).getpixel((2, 2))
    assert blue > red + 20


def test_what_is_too_large_is_refused_before_it_is_decoded(start, folder):
    bomb = encode(Image.new("1", (4096, 4096)))
    with start() as server:
        answer = give(server, correction(image=bomb))
        assert (answer.status_code, answer.json()["code"]) == (422, "image_too_large")
        answer = give(server, correction(image=encode(draw()) + bytes(20 * 1_048_576)))
        assert (answer.status_code, answer.json()["code"]) == (413, "file_too_large")
    assert stored(folder) == []


def give_until_full(server, forget=False) -> int:
    """How many corrections were taken before there was no room."""
    for number in range(20):
        answer = give(server, key=f"{KEY}-{number}")
        if answer.status_code != 201:
            assert (answer.status_code, answer.json()["code"]) == (507, "feedback_full")
            return number
        if forget:
            address = f"/v1/feedback/{answer.json()['id']}"
            assert server.http.delete(address).status_code == 204
    pytest.fail("there was always room")


def test_room_is_counted_in_bytes(start, folder):
    with start(max_feedback_bytes=BLOCK_BYTES) as server:
        large = correction(image=CAME_IN["photo of a telephone"])
        assert give(server, large).json()["code"] == "feedback_full"
        assert give_until_full(server) == 1, "there is room for a drawing"
        assert read_metrics(server)["bukva_feedback_bytes",] == BLOCK_BYTES
        [only] = stored(folder)
        assert server.http.delete(f"/v1/feedback/{only['id']}").status_code == 204
        assert give(server, key=KEY + "-afterwards").status_code == 201


def test_what_is_to_be_deleted_far_away_takes_room_too(start, tmp_path):
    """Each correction that was taken back leaves a receipt until the place can be reached."""
    with start(feedback_url=str(tmp_path / "far"), max_feedback_bytes=5 * BLOCK_BYTES) as server:
        assert give_until_full(server, forget=True) == 5


def test_receipts_of_what_was_delivered_take_room_too(start, tmp_path, folder):
    settings = {"feedback_url": str(tmp_path / "far"), "feedback_retry_s": 0.02}
    with start(**settings, max_feedback_bytes=3 * BLOCK_BYTES) as server:
        for number in range(3):
            assert give(server, key=f"{KEY}-{number}").status_code == 201
            wait_for(lambda: not stored(folder))
        assert give(server, key=KEY + "-4").json()["code"] == "feedback_full"
    with start(**settings) as server:
        assert give(server, key=KEY + "-4").status_code == 201
