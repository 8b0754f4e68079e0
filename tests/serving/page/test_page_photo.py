"""The page in a real browser, given photos: what is sent of them, and what is shown meanwhile."""

import base64
import io
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from browsing import run_browser, visiting
from PIL import ExifTags, Image
from playwright.sync_api import expect


@pytest.fixture(scope="module")
def browser():
    with run_browser() as browser:
        yield browser


@pytest.fixture
def page(server, browser):
    complaints = []
    with visiting(browser, complaints) as visit:
        yield visit(server.base_url)
    # The browser itself notes an answer of 422.
    assert [line for line in complaints if "422" not in line] == []


def draw_photo(width, height):
    """Return paper with a blue stroke, and what light and lens leave on it."""
    small = np.random.default_rng(2).integers(180, 220, (height // 50, width // 50, 3))
    photo = np.array(Image.fromarray(small.astype(np.uint8)).resize((width, height)))
    photo[height // 3 : 2 * height // 3, width // 2 : width // 2 + width // 40] = (30, 40, 120)
    return Image.fromarray(photo)


# The browser tells nobody else what a file holds that a page sends.
KEEP_WHAT_IS_SENT = """() => {
  const send = window.fetch;
  window.fetch = (address, request) => {
    const reader = new FileReader();
    reader.onload = () => { window.sent = [address, reader.result]; };
    if (request.body) reader.readAsDataURL(request.body);
    return send(address, request);
  };
}"""


def choose(page, path):
    """Choose a file; return what was asked, and with what."""
    page.evaluate(KEEP_WHAT_IS_SENT)
    page.set_input_files("#file", path)
    while not page.evaluate("Boolean(window.sent)"):
        page.wait_for_timeout(20)
    address, sent = page.evaluate("window.sent")
    kind, _, encoded = sent.partition(";base64,")
    return parse_qs(urlsplit(address).query), kind, base64.b64decode(encoded)


def test_a_photo_is_sent_smaller_upright_and_without_where_it_was_taken(page, tmp_path):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation], exif[ExifTags.Base.Artist] = 6, "somebody"
    path = tmp_path / "photo.jpg"
    draw_photo(4000, 3000).save(path, quality=92, exif=exif)
    query, kind, body = choose(page, path)
    with Image.open(io.BytesIO(body)) as sent:
        assert (sent.format, sent.size) == ("JPEG", (1536, 2048))
        assert "somebody" not in str(dict(sent.getexif()))
    assert (query, kind) == ({"source": ["photo"]}, "data:image/jpeg")
    assert len(body) < 1_000_000
    expect(page.locator("#alternatives li")).to_have_count(5)


def test_a_photo_is_shown_before_it_is_read(page, tmp_path):
    path = tmp_path / "photo.jpg"
    draw_photo(3000, 4000).save(path)
    held = []
    page.route("**/v1/predict**", lambda route: held.append(route))  # noqa: PLW0108
    page.set_input_files("#file", path)
    expect(page.locator("#picture")).to_be_visible()
    expect(page.locator("#alternatives li")).to_have_count(0)
    while not held:
        page.wait_for_timeout(20)
    held[0].continue_()
    expect(page.locator("#alternatives li")).to_have_count(5)


def test_what_is_clear_stays_clear(page, tmp_path):
    alpha = np.zeros((1200, 1600), dtype=np.uint8)
    alpha[300:900, 700:800] = 255
    ink = Image.merge("LA", (Image.new("L", (1600, 1200)), Image.fromarray(alpha)))
    path = tmp_path / "letter.png"
    ink.convert("RGBA").save(path)
    query, _, body = choose(page, path)
    with Image.open(io.BytesIO(body)) as sent:
        assert (sent.format, sent.mode, sent.size) == ("PNG", "RGBA", (560, 420))
        assert sent.getextrema()[3] == (0, 255)
    assert query == {}, "no camera writes PNG, so the picture decides what it is"


def test_a_drawing_says_that_it_is_one(page):
    box = page.locator("#pad").bounding_box()
    with page.expect_request("**/v1/predict**") as asked:
        page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.3 * box["height"])
        page.mouse.down()
        page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.7 * box["height"])
        page.mouse.up()
    assert parse_qs(urlsplit(asked.value.url).query) == {"source": ["drawing"]}


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("too_dark", "Занадто темно"),
        ("several_symbols", "Залиште на зображенні один"),
        ("empty_image", "Чорнила не знайдено"),
    ],
)
def test_a_refused_photo_is_told_what_to_do(page, tmp_path, code, sentence):
    path = tmp_path / "photo.jpg"
    draw_photo(800, 600).save(path)
    problem = {"status": 422, "json": {"code": code}}
    page.route("**/v1/predict**", lambda route: route.fulfill(**problem))
    page.set_input_files("#file", path)
    expect(page.locator("#summary")).to_contain_text(sentence)


def test_what_the_browser_cannot_read_is_not_shown(page, tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(b"no photo")
    page.set_input_files("#file", path)
    expect(page.locator("#summary")).to_contain_text("не може прочитати")
    expect(page.locator("#picture")).to_be_hidden()
