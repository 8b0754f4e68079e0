"""The page in a real browser, before the service with the released model."""

import base64
import contextlib
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawing import Sheet, strokes_of
from fresh_clone import make_clone, make_serve
from PIL import Image
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Route, expect
from serving_servers import Server

from bukva.tasks.glyph.strokes.writing import draw_symbol

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clone(tmp_path_factory.mktemp("clone"))


@pytest.fixture(scope="module")
def service(clone: Path) -> Iterator[Server]:
    with make_serve(clone) as server:
        server.wait_until_ready(timeout_s=600)
        yield server


def test_a_drawn_letter_is_read_while_it_is_drawn(sheet: Sheet, pictures: Path) -> None:
    sheet.screenshot(pictures, "empty")
    sheet.write("Ж")
    expect(sheet.page.locator("#summary")).to_have_text("Велика літера Ж («же»)")
    sheet.expect_symbol("Ж")
    bars = sheet.page.locator("#alternatives li")
    expect(bars).to_have_count(5)
    assert "Ж" in bars.first.inner_text()
    sheet.screenshot(pictures, "drawn")
    sheet.page.click("[data-language=en]")
    expect(sheet.page.locator("#summary")).to_have_text("Capital letter Ж (“же”)")
    sheet.page.reload()
    expect(sheet.page.locator("[data-language=en]")).to_have_attribute("aria-pressed", "true")


def test_a_letter_between_the_middle_lines_is_small(sheet: Sheet) -> None:
    sheet.write("ж")
    expect(sheet.page.locator("#summary")).to_have_text("Мала літера ж («же»)")


def test_what_an_answer_rests_on_is_coloured(sheet: Sheet, pictures: Path) -> None:
    page, reasons = sheet.page, sheet.page.locator("#reasons")
    sheet.write("Ґ")
    sheet.expect_symbol("Ґ")
    page.click("#why")
    expect(reasons).to_be_visible()
    view, frame = page.locator("#view"), page.locator("#frame")
    expect(view).to_be_visible()
    expect(view).to_contain_text("Так це бачить мережа")
    assert frame.evaluate("frame => frame.decode().then(() => frame.naturalWidth)") == 28
    expect(page.locator("#why")).to_have_attribute("aria-pressed", "true")
    sheet.screenshot(pictures, "why")
    # Without the hook above it, it is another letter.
    upper, lower = page.evaluate(
        """() => {
          const canvas = document.querySelector("#reasons");
          const { width, height } = canvas;
          const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
          const halves = [0, 0];
          const border = 1.4 * width * height;
          for (let i = 3; i < data.length; i += 4) halves[i < border ? 0 : 1] += data[i];
          return halves;
        }"""
    )
    assert upper > lower
    address = frame.get_attribute("src")
    page.click("#why")
    expect(reasons).to_be_hidden()
    expect(view).to_be_hidden()
    assert not page.evaluate("address => fetch(address).then(() => true, () => false)", address)
    sheet.complaints.clear()  # that the address is gone, is what was asked for
    page.click("#why")
    expect(reasons).to_be_visible()
    page.keyboard.press("Control+z")
    expect(reasons).to_be_hidden()


def test_one_form_is_a_letter_or_a_digit_as_it_is_meant(sheet: Sheet) -> None:
    sheet.write("О")
    sheet.page.click("[data-expected=digit]")
    sheet.expect_symbol("0")
    expect(sheet.page.locator("#summary")).to_have_text("Цифра 0")
    sheet.page.click("[data-expected=letter]")
    sheet.expect_symbol("О")


def test_strokes_are_undone_and_redone(sheet: Sheet) -> None:
    page = sheet.page
    sheet.write("Т")
    sheet.expect_symbol("Т")
    count = len(strokes_of("Т"))
    for _ in range(count):
        page.keyboard.press("Control+z")
    sheet.expect_symbol("")
    expect(page.locator("#undo")).to_be_disabled()
    for _ in range(count):
        page.click("#redo")
    sheet.expect_symbol("Т")
    page.keyboard.press("Delete")
    sheet.expect_symbol("")
    page.click("#undo")
    sheet.expect_symbol("Т")
    page.click("#replay")


def test_what_shows_no_symbol_is_refused(sheet: Sheet, pictures: Path) -> None:
    turns = np.linspace(0, 9 * np.pi, 120)
    wild = np.stack([0.5 + 0.35 * np.sin(turns * 1.3), 0.5 + 0.3 * np.cos(turns * 2.1)], axis=1)
    sheet.draw(wild)
    expect(sheet.page.locator("#summary")).to_contain_text("не схоже на одну літеру")
    sheet.screenshot(pictures, "refused")


def test_an_answer_that_comes_too_late_is_dropped(sheet: Sheet) -> None:
    page, held = sheet.page, []

    def hold_first(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    page.route("**/v1/predict?**", hold_first)
    first, *others = strokes_of("Ш")
    sheet.draw(first)
    while not held:
        page.wait_for_timeout(50)
    sheet.draw(*others)
    sheet.expect_symbol("Ш")
    with contextlib.suppress(PlaywrightError):  # the page has dropped the question already
        held[0].continue_()
    page.wait_for_timeout(300)
    sheet.expect_symbol("Ш")


def test_half_a_drawing_is_not_asked_about(sheet: Sheet) -> None:
    page, held = sheet.page, []

    def hold(route: Route) -> None:
        held.append(route)

    right, wrong = page.locator("#right"), page.locator("#wrong")
    first, *others = strokes_of("Ш")
    sheet.draw(first)
    expect(wrong).to_be_visible()
    expect(wrong).to_be_enabled()
    page.route("**/v1/predict?**", hold)
    sheet.draw(*others)
    while not held:
        expect(wrong).to_be_disabled()
        expect(right).to_be_disabled()
    held[-1].continue_()
    sheet.expect_symbol("Ш")
    expect(right).to_be_enabled()
    expect(wrong).to_be_enabled()


def test_a_picture_is_read(sheet: Sheet, tmp_path: Path) -> None:
    picture = tmp_path / "letter.png"
    Image.fromarray(draw_symbol("Ю", np.random.default_rng(4))).save(picture)
    sheet.page.set_input_files("#file", picture)
    sheet.expect_symbol("Ю")
    expect(sheet.page.locator("#picture")).to_be_visible()
    sheet.write("Т")
    sheet.expect_symbol("Т")
    expect(sheet.page.locator("#picture")).to_be_hidden()


def test_a_file_that_is_no_picture_is_named(sheet: Sheet, tmp_path: Path) -> None:
    (tmp_path / "letter.png").write_text("not a picture")
    sheet.page.set_input_files("#file", tmp_path / "letter.png")
    expect(sheet.page.locator("#summary")).to_contain_text("не може прочитати")


def test_a_service_that_is_gone_is_named(visit: Callable[..., Sheet]) -> None:
    sheet = visit(locale="en-GB")
    sheet.page.context.set_offline(True)
    sheet.write("Т")
    expect(sheet.page.locator("#summary")).to_contain_text("does not answer")
    sheet.page.context.set_offline(False)
    sheet.page.keyboard.press("Enter")
    sheet.expect_symbol("Т")
    # The browser itself reports the request that could not be sent.
    assert all("ERR_INTERNET_DISCONNECTED" in text for text in sheet.complaints)
    sheet.complaints.clear()


# Playwright does not show the files of a request: what is painted is noted where it is encoded.
NOTE_PICTURES = """
const encode = HTMLCanvasElement.prototype.toBlob;
HTMLCanvasElement.prototype.toBlob = function (...options) {
  window.painted = this.toDataURL();
  encode.apply(this, options);
};
"""


def painted_picture(sheet: Sheet) -> np.ndarray:
    sheet.page.add_init_script(NOTE_PICTURES)
    sheet.page.reload()
    sheet.write("Ґ")
    sheet.expect_symbol("Ґ")
    _, _, data = sheet.page.evaluate("painted").partition("base64,")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("L"))


def test_the_dark_page_sends_the_same_picture(visit: Callable[..., Sheet], pictures: Path) -> None:
    light, dark = visit(color_scheme="light"), visit(color_scheme="dark")
    pages = [painted_picture(sheet) for sheet in (light, dark)]
    assert pages[0].shape == (200, 200)
    assert pages[0].min() == 0
    assert (pages[0] == pages[1]).all()
    dark.screenshot(pictures, "dark")


@pytest.mark.parametrize("width", [320, 1920])
def test_the_page_fits_the_screen(visit: Callable[..., Sheet], pictures: Path, width: int) -> None:
    sheet = visit(viewport={"width": width, "height": 900})
    sheet.write("Я")
    sheet.expect_symbol("Я")
    assert sheet.page.evaluate("document.documentElement.scrollWidth") <= width
    for button in sheet.page.locator("button:visible").all():
        box = button.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44
    sheet.screenshot(pictures, f"{width}px")


def stored(clone: Path) -> list[dict[str, Any]]:
    """The corrections that the service has stored."""
    folder = clone / "data" / "01_raw" / "feedback"
    return [json.loads(path.read_text()) for path in folder.glob("*.json")]


def test_a_person_says_what_they_drew_and_takes_it_back(
    sheet: Sheet, clone: Path, pictures: Path
) -> None:
    page, receipt = sheet.page, sheet.page.locator("#receipt-text")
    sheet.write("Г")
    sheet.expect_symbol("Г")
    page.click("#wrong")
    sheet.screenshot(pictures, "correction")
    page.get_by_role("button", name="Ґ", exact=True).click()
    page.get_by_role("button", name="Зберігати мої малюнки", exact=True).click()
    expect(receipt).to_have_text("Дякуємо! Збережено як Ґ.")
    [record] = stored(clone)
    assert (record["symbol"], record["answer"]) == ("Ґ", "Г")
    page.click("#forget")
    expect(receipt).to_have_text("Видалено.")
    assert stored(clone) == []


def test_consent_is_asked_once_and_can_be_withdrawn(sheet: Sheet, clone: Path) -> None:
    page, receipt = sheet.page, sheet.page.locator("#receipt-text")
    sheet.write("Т")
    sheet.expect_symbol("Т")
    page.click("#right")
    page.get_by_role("button", name="Не зберігати").click()
    expect(receipt).to_contain_text("не збережено")
    page.keyboard.press("Delete")
    sheet.write("О")
    page.click("#right")
    expect(receipt).to_contain_text("не збережено")
    assert stored(clone) == []
    page.check("#keep")
    page.keyboard.press("Delete")
    sheet.write("Ж")
    page.click("#right")
    expect(receipt).to_contain_text("Збережено як Ж")
    assert [record["symbol"] for record in stored(clone)] == ["Ж"]
    page.click("#forget")
    expect(receipt).to_have_text("Видалено.")
