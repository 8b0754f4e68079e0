"""The page about lines in a real browser, before a model that reads bars."""

import json
import re

import pytest
from bar_network import draw_bars
from browsing import run_browser, visiting
from document_pages import encode_as
from PIL import Image
from playwright.sync_api import Page, expect
from serving_servers import run_thread, wait_for

pytestmark = pytest.mark.timeout(900)

SURE = encode_as(draw_bars("її ої"))
DOUBTFUL = encode_as(draw_bars("ї? ої"))
EMPTY = encode_as(Image.new("L", (600, 80), 250))


@pytest.fixture(scope="module")
def browser():
    with run_browser() as browser:
        yield browser


@pytest.fixture
def complaints():
    return []


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("lines")


@pytest.fixture(scope="module")
def lines(documents_registry, folder):
    """The service with all models, which keeps corrections in a folder."""
    with run_thread(tracking_uri=documents_registry, feedback_folder=folder) as server:
        server.wait_until_ready(timeout_s=300)
        wait_for(lambda: server.answers("/v2/models/bukva-line/ready"), timeout_s=300)
        yield server


@pytest.fixture
def open_page(lines, browser, complaints):
    """Open the page; what breaks its policy, or an error in it, is a failure."""
    with visiting(browser, complaints) as visit:
        yield lambda **visitor: visit(f"{lines.base_url}/lines", **visitor)
    # The browser itself notes a refusal.
    assert [line for line in complaints if "status of 4" not in line] == []


def choose(page: Page, file: bytes, name: str = "a.png", kind: str = "image/png") -> None:
    page.set_input_files("#file", {"name": name, "mimeType": kind, "buffer": file})


def stored(folder):
    return [json.loads(path.read_text()) for path in folder.glob("*.json")]


def test_a_line_is_read(open_page):
    page = open_page()
    expect(page).to_have_title("Прочитати рядок")
    choose(page, SURE)
    expect(page.locator("#text")).to_have_text("її ої")
    expect(page.locator("#said")).to_have_value("її ої")
    expect(page.locator("#percent")).to_have_text(re.compile(r"^\d+\s?%$"))
    expect(page.locator(".doubtful")).to_have_count(0)
    expect(page.locator("#summary")).to_have_text("Прочитано.")
    expect(page.locator("#picture")).to_be_visible()
    expect(page.locator("#model")).to_have_text("Модель bukva-line, версія 1.")


def test_a_doubtful_character_is_marked_and_another_chosen(open_page):
    page = open_page(locale="en-GB")
    choose(page, DOUBTFUL)
    doubtful = page.locator(".doubtful")
    expect(doubtful).to_have_count(1)
    expect(doubtful).to_have_text("о")
    expect(page.locator("#summary")).to_have_text("Underlined is what is doubtful: 1.")
    doubtful.click()
    expect(page.locator("#mark")).to_be_visible()
    mark, frame = page.locator("#mark").bounding_box(), page.locator("#frame").bounding_box()
    assert mark["width"] < frame["width"] / 2
    page.locator("#others").get_by_role("button", name="ї", exact=True).click()
    expect(page.locator("#said")).to_have_value("її ої")
    expect(page.locator(".chosen")).to_have_text("ї")
    expect(page.locator("#mark")).to_be_hidden()


def test_who_writes_by_hand_is_not_interrupted(open_page):
    page = open_page()
    choose(page, DOUBTFUL)
    expect(page.locator(".doubtful")).to_have_count(1)
    page.fill("#said", "зовсім інше")
    expect(page.locator(".doubtful")).to_have_count(0)
    expect(page.locator("#said")).to_have_value("зовсім інше")


def test_an_empty_line_says_so_and_what_cannot_be_read_is_said(open_page):
    page = open_page()
    choose(page, EMPTY)
    expect(page.locator("#summary")).to_have_text("Тут нічого не написано.")
    choose(page, encode_as(Image.new("L", (300, 2), 255)))
    expect(page.locator("#summary")).to_contain_text("Зображення замале")
    choose(page, b"text", "a.txt", "text/plain")
    expect(page.locator("#summary")).to_contain_text("PNG, JPEG, WebP або TIFF")
    expect(page.locator("#correction")).to_be_hidden()
    choose(page, SURE)
    expect(page.locator("#text")).to_have_text("її ої")


def test_a_picture_that_no_browser_shows_is_read_and_not_kept(open_page):
    page = open_page()
    choose(page, encode_as(draw_bars("її ої"), "TIFF"), "a.tif", "image/tiff")
    expect(page.locator("#text")).to_have_text("її ої")
    expect(page.locator("#frame")).to_be_hidden()
    expect(page.locator("#correction")).to_be_hidden()


def test_the_language_is_asked_for(open_page):
    page = open_page()
    choose(page, SURE)
    expect(page.locator("#text")).to_have_text("її ої")
    with page.expect_request(re.compile("language=uk")):
        page.select_option("#written-in", "uk")
    expect(page.locator("#text")).to_have_text("її ої")


def test_a_correction_is_kept_with_consent_and_deleted(open_page, folder):
    page = open_page(locale="en-GB")
    choose(page, SURE)
    expect(page.locator("#said")).to_have_value("її ої")
    page.fill("#said", "Її, ой!")
    page.press("#said", "Enter")
    page.get_by_role("button", name="Keep my lines", exact=True).click()
    expect(page.locator("#receipt-text")).to_have_text("Thank you! The line is kept.")
    [record] = stored(folder)
    assert (record["text"], record["answer"], record["task"]) == ("Її, ой!", "її ої", "line")
    page.click("#forget")
    expect(page.locator("#receipt-text")).to_have_text("Deleted.")
    assert stored(folder) == []
    # Kept again, under another key, and not asked again.
    page.fill("#said", "Ой")
    page.click("#send")
    expect(page.locator("#receipt-text")).to_have_text("Thank you! The line is kept.")
    page.click("#forget")
    expect(page.locator("#receipt-text")).to_have_text("Deleted.")


def test_without_consent_nothing_is_kept(open_page, folder):
    page = open_page(locale="en-GB")
    choose(page, SURE)
    expect(page.locator("#said")).to_have_value("її ої")
    page.click("#send")
    page.get_by_role("button", name="Do not keep them").click()
    expect(page.locator("#receipt-text")).to_have_text("Thank you! The line was not kept.")
    assert stored(folder) == []


def test_all_is_done_with_the_keyboard(open_page, folder):
    page = open_page(locale="en-GB")
    expect(page.locator("#back")).to_be_visible()
    seen = []
    for _ in range(5):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.lang || document.activeElement.id"))
    assert seen == ["back", "uk", "en", "choose", "written-in"]
    choose(page, DOUBTFUL)
    expect(page.locator(".doubtful")).to_have_count(1)
    page.focus("#written-in")
    page.keyboard.press("Tab")
    expect(page.locator("#mark")).to_be_visible()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect(page.locator("#others")).to_be_hidden()
    expect(page.locator(".doubtful")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#said")).to_have_value("її ої")
    expect(page.locator("#said")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#consent")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("#forget")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#receipt-text")).to_have_text("Deleted.")
    assert stored(folder) == []


@pytest.mark.parametrize("width", [320, 768, 1920])
@pytest.mark.parametrize("language", ["uk-UA", "en-GB"])
def test_it_fits_the_screen(open_page, width, language):
    page = open_page(viewport={"width": width, "height": 900}, locale=language)
    choose(page, encode_as(draw_bars("ї?ої ої їїїїїоооої ої їої ої ої їїої оїїої")))
    expect(page.locator(".doubtful")).to_have_count(1)
    page.locator(".doubtful").click()
    page.locator("#picture").evaluate("picture => picture.decode()")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for target in page.locator("button:visible, nav a:visible, label.width:visible").all():
        box = target.bounding_box()
        assert box is not None
        assert box["height"] >= 44


def test_the_sheet_leads_there_where_lines_are_read(lines, server, browser, complaints):
    with visiting(browser, complaints) as visit:
        page = visit(lines.base_url)
        page.get_by_role("link", name="Прочитати рядок").click()
        expect(page).to_have_title("Прочитати рядок")
        page.get_by_role("link", name="Малювати літери").click()
        expect(page.locator("#pad")).to_be_visible()
        page = visit(server.base_url)
        expect(page.locator("#model")).not_to_be_empty()
        expect(page.locator("#lines")).to_be_hidden()
