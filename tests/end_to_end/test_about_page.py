"""The page about the model in a real browser, before the service with the released model."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import FloatRect, Locator, Page, expect
from serving_servers import Server

pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def open_about(service: Server, open_page: Callable[..., Page]) -> Callable[..., Page]:
    """Open the page, and wait for the last of it."""

    def open_at(**visitor: Any) -> Page:
        page = open_page(f"{service.base_url}/about", **visitor)
        for figure in figures_of(page):
            figure.evaluate("figure => figure.decode()")
            assert figure.evaluate("figure => figure.naturalWidth") > 1000
        return page

    return open_at


@pytest.fixture(scope="module")
def described(service: Server) -> dict[str, Any]:
    answer: dict[str, Any] = service.http.get("/v1/model").json()
    return answer


def figures_of(page: Page) -> list[Locator]:
    expect(page.locator("#figures img")).to_have_count(2)
    return page.locator("#figures img").all()


def row(page: Page, corpus: str) -> Locator:
    name = page.locator("small").filter(has_text=re.compile(f"^{corpus}"))
    return page.locator("#table tbody tr").filter(has=name)


def test_the_page_says_which_model_answers(
    open_about: Callable[..., Page], described: dict[str, Any]
) -> None:
    page, facts = open_about(), described["model"]
    expect(page).to_have_title("Про bukva")
    values = page.locator("#facts dd")
    expect(values.nth(0)).to_have_text(facts["name"])
    expect(values.nth(1)).to_have_text(facts["version"])
    assert described["files_sha256"].startswith(values.nth(3).inner_text())
    expect(values.nth(4)).to_have_text("Не підписана")


def test_the_table_shows_the_accuracies_of_every_corpus(
    open_about: Callable[..., Page], described: dict[str, Any]
) -> None:
    page, results = open_about(), described["results"]
    corpora = [key.split(".")[0] for key in results if key.count(".") == 1]
    corpora = [name for name in dict.fromkeys(corpora) if f"{name}.label_accuracy" in results]
    expect(page.locator("#table tbody tr")).to_have_count(len(corpora))
    share, (low, high) = (results[f"mnist.label_accuracy{end}"] for end in ("", ".ci95"))
    expect(row(page, "mnist")).to_contain_text("Цифри ручкою на папері, скановані")
    expect(row(page, "mnist").locator("td").first).to_have_text(
        f"{100 * share:.1f}%{100 * low:.1f}–{100 * high:.1f}".replace(".", ",")
    )
    expect(row(page, "mnist").locator("td").nth(3)).to_have_text("–")
    expect(row(page, "strokes, синтетичні")).to_have_count(1)
    kept = results["refusal.kept"]
    expect(page.locator("#refusals")).to_contain_text(f"{100 * (1 - kept):.1f}".replace(".", ","))


def test_the_page_speaks_the_language_that_was_chosen(
    sheet: Any, described: dict[str, Any]
) -> None:
    page = sheet.page
    page.click("[data-language=en]")
    page.get_by_role("link", name="About bukva").click()
    expect(page).to_have_title("About bukva")
    share = described["results"]["comnist.label_accuracy"]
    expect(row(page, "comnist")).to_contain_text(f"{100 * share:.1f}%")
    expect(page.get_by_alt_text("Confusion matrix: of each letter")).to_be_visible()
    page.click("[data-language=uk]")
    expect(row(page, "comnist")).to_contain_text(f"{100 * share:.1f}%".replace(".", ","))
    page.get_by_role("link", name="Малювати").click()
    expect(page.locator("#hint")).to_contain_text("Одна літера або цифра")


def picture_pages(page: Page, pictures: Path, width: int) -> None:
    """Take the whole of the narrow page, and of a wider one what stands above the figures."""
    if width == 320:
        page.screenshot(path=pictures / "about_320px.png", full_page=True)
    elif width == 1000:
        height = page.locator("#confusions").evaluate(
            "section => section.getBoundingClientRect().top + scrollY"
        )
        clip: FloatRect = {"x": 0, "y": 0, "width": width, "height": height}
        page.screenshot(path=pictures / "about.png", full_page=True, clip=clip)


@pytest.mark.parametrize("width", [320, 1000, 1920])
@pytest.mark.parametrize("language", ["uk-UA", "en-GB"])
def test_it_fits_the_screen(
    open_about: Callable[..., Page], pictures: Path, width: int, language: str
) -> None:
    page = open_about(viewport={"width": width, "height": 900}, locale=language)
    page.click("#card-place summary")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for target in page.locator("button:visible, nav a, summary").all():
        box = target.bounding_box()
        assert box is not None
        assert box["height"] >= 44
    place = page.locator("#measured .scroll")
    scrolls = place.evaluate("place => place.scrollWidth > place.clientWidth")
    assert scrolls == (width == 320)
    page.click("#card-place summary")
    if language == "uk-UA":
        picture_pages(page, pictures, width)


def test_a_figure_can_be_opened_in_full(open_about: Callable[..., Page]) -> None:
    page = open_about(color_scheme="dark")
    with page.context.expect_page() as opened:
        page.get_by_alt_text("Матриця помилок: для кожної літери").click()
    full = opened.value
    full.wait_for_load_state()
    assert full.evaluate("document.images[0].naturalWidth") > 1000


def test_figures_stand_on_white_in_the_dark(open_about: Callable[..., Page]) -> None:
    page = open_about(color_scheme="dark")
    colour = "element => getComputedStyle(element).backgroundColor"
    assert page.locator("#figures a").first.evaluate(colour) == "rgb(255, 255, 255)"
    assert page.locator("body").evaluate(colour) != "rgb(255, 255, 255)"


def test_the_card_can_be_read_in_full(
    open_about: Callable[..., Page], described: dict[str, Any]
) -> None:
    page, card = open_about(), described["card"]
    page.click("#card-place summary")
    shown = page.locator("#card")
    titles = [line.lstrip("# ") for line in card.splitlines() if line.startswith("#")]
    assert shown.locator("h3, h4").all_inner_texts() == titles
    expect(shown.locator("table")).to_have_count(1)
    expect(shown.locator("tbody tr").first.locator("td").first).to_have_text("comnist")
    expect(shown).not_to_contain_text("**")
    expect(shown).not_to_contain_text("##")


def test_the_page_is_walked_through_with_the_keyboard(open_about: Callable[..., Page]) -> None:
    page, seen = open_about(), []
    for _ in range(9):
        page.keyboard.press("Tab")
        seen.append(
            page.evaluate(
                "(({tagName, id, lang, href, className}) => className || lang || id || tagName)"
                "(document.activeElement)"
            )
        )
    assert seen == ["A", "uk", "en", "scroll", "A", "A", "SUMMARY", "A", "BODY"]
