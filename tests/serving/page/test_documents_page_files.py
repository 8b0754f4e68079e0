"""The page about documents in a real browser, before a model whose answers are known."""

import re
from pathlib import Path

import pytest
from browsing import run_browser, visiting
from document_pages import ENCRYPTED_PDF, bind, draw_page, encode_as
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.timeout(900)

HAND = encode_as(draw_page("handwritten"))
BOTH = encode_as(draw_page("handwritten", "printed"))
PDF = bind("PDF", draw_page("handwritten"), draw_page("printed"))


@pytest.fixture(scope="module")
def browser():
    with run_browser() as browser:
        yield browser


@pytest.fixture
def complaints():
    return []


@pytest.fixture
def open_page(reader, browser, complaints):
    """Open the page; what breaks its policy, or an error in it, is a failure."""
    with visiting(browser, complaints) as visit:
        yield lambda **visitor: visit(f"{reader.base_url}/documents", **visitor)
    # The browser itself notes a refusal.
    assert [line for line in complaints if "status of 4" not in line] == []


def choose(page: Page, file: bytes, name: str = "a.png", kind: str = "image/png") -> None:
    page.set_input_files("#file", {"name": name, "mimeType": kind, "buffer": file})


def shown(page: Page) -> list[int]:
    """Width and height of the picture that is shown."""
    picture = page.locator("#picture")
    expect(picture).to_be_visible()
    picture.evaluate("picture => picture.decode()")
    return picture.evaluate("picture => [picture.naturalWidth, picture.naturalHeight]")


def test_a_document_is_told_and_shown_in_colour(open_page):
    page = open_page()
    expect(page).to_have_title("Рукопис чи друк?")
    choose(page, BOTH)
    expect(page.locator("#label")).to_have_text("І рукопис, і друк")
    expect(page.locator("#parts li")).to_have_count(2)
    expect(page.locator("#parts li").nth(1)).to_contain_text("Друк")
    expect(page.locator("#percent")).to_have_text(re.compile(r"^\d+,\d\s?%$"))
    expect(page.locator("[data-view=grad_cam]")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#colours")).to_be_visible()
    coloured = page.locator("#picture").get_attribute("src")
    assert shown(page) == [640, 480]
    page.click("[data-view=sent]")
    expect(page.locator("#colours")).to_be_hidden()
    assert page.locator("#picture").get_attribute("src") != coloured
    expect(page.locator("#model")).to_have_text("Модель bukva-document, версія 1.")


def test_a_page_of_a_pdf_is_chosen(open_page):
    page = open_page(locale="en-GB")
    choose(page, PDF, "a.pdf", "application/pdf")
    expect(page.locator("#label")).to_have_text("Handwritten")
    expect(page.locator("#pages")).to_have_text("of 2")
    # A browser shows no PDF as a picture.
    expect(page.locator("[data-view=sent]")).to_be_disabled()
    page.fill("#page", "2")
    page.press("#page", "Enter")
    expect(page.locator("#label")).to_have_text("Printed")
    expect(page.locator("#note")).to_have_text("What was typed counts as printed.")


def test_a_blank_page_has_nothing_to_show(open_page):
    page = open_page()
    choose(page, encode_as(draw_page()))
    expect(page.locator("#label")).to_have_text("Порожня сторінка")
    expect(page.locator("#views")).to_be_hidden()
    expect(page.locator("#sureness")).to_be_hidden()
    expect(page.locator("#parts-place")).to_be_hidden()


def test_what_cannot_be_read_is_said(open_page):
    page = open_page()
    choose(page, ENCRYPTED_PDF, "a.pdf", "application/pdf")
    expect(page.locator("#note")).to_contain_text("просить пароль")
    choose(page, b"text", "a.txt", "text/plain")
    expect(page.locator("#note")).to_contain_text("PNG, JPEG, WebP, TIFF або файл PDF")
    choose(page, HAND)
    expect(page.locator("#label")).to_have_text("Рукопис")


def test_a_file_is_dropped(open_page):
    page = open_page()
    page.evaluate(
        """async (bytes) => {
          const data = new DataTransfer();
          data.items.add(new File([new Uint8Array(bytes)], "a.png", { type: "image/png" }));
          const dropped = new DragEvent("drop", { dataTransfer: data, bubbles: true });
          document.querySelector("#place").dispatchEvent(dropped);
        }""",
        list(HAND),
    )
    expect(page.locator("#label")).to_have_text("Рукопис")


def test_only_the_last_file_counts(open_page):
    page = open_page()
    for file in (BOTH, HAND, encode_as(draw_page("printed"))):
        choose(page, file)
    expect(page.locator("#label")).to_have_text("Друк")
    page.wait_for_timeout(500)
    expect(page.locator("#label")).to_have_text("Друк")
    expect(page.locator("#parts li")).to_have_count(1)


def test_the_page_is_walked_through_with_the_keyboard(open_page):
    page = open_page()
    expect(page.locator("#back")).to_be_visible()
    seen = []
    for _ in range(4):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.lang || document.activeElement.id"))
    assert seen == ["back", "uk", "en", "choose"]
    with page.expect_file_chooser():
        page.keyboard.press("Enter")
    choose(page, HAND)
    expect(page.locator("[data-view=grad_cam]")).to_have_attribute("aria-pressed", "true")
    page.focus("[data-view=grad_cam]")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.locator("[data-view=occlusion]")).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize("width", [320, 768, 1920])
@pytest.mark.parametrize("language", ["uk-UA", "en-GB"])
def test_it_fits_the_screen(open_page, width, language, tmp_path: Path):
    page = open_page(viewport={"width": width, "height": 900}, locale=language)
    choose(page, bind("PDF", draw_page("handwritten", "printed"), draw_page()), "a.pdf",
           "application/pdf")  # fmt: skip
    expect(page.locator("#parts li")).to_have_count(2)
    shown(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for target in page.locator("button:visible, nav a:visible, label.width:visible").all():
        box = target.bounding_box()
        assert box is not None
        assert box["height"] >= 44


def test_the_sheet_leads_there(reader, browser, complaints):
    with visiting(browser, complaints) as visit:
        page = visit(reader.base_url)
        page.get_by_role("link", name="Рукопис чи друк?").click()
        expect(page).to_have_title("Рукопис чи друк?")
        page.get_by_role("link", name="Малювати літери").click()
        expect(page.locator("#pad")).to_be_visible()


def test_a_service_without_the_model_leads_nobody_there(server, browser, complaints):
    with visiting(browser, complaints) as visit:
        page = visit(server.base_url)
        expect(page.locator("#model")).not_to_be_empty()
        expect(page.locator("#documents")).to_be_hidden()
        page.goto(f"{server.base_url}/documents")
        choose(page, HAND)
        expect(page.locator("#note")).to_contain_text("Моделі документів тут ще немає")
