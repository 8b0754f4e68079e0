"""The page in a real browser, asked why, before models that can tell where they looked or not."""

import pytest
from browsing import run_browser, visiting
from playwright.sync_api import expect

COVERED, ASKED = "Закриваючи частини", "Погляд мережі"

INK_BY_ROW = """() => {
  const canvas = document.querySelector("#reasons");
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  const sums = [0, 0];
  for (let i = 3; i < data.length; i += 4) sums[i < 2 * width * height ? 0 : 1] += data[i];
  return sums;
}"""


@pytest.fixture(scope="module")
def browser():
    with run_browser() as browser:
        yield browser


@pytest.fixture
def open_page(browser):
    """Open the page and draw on it; a violation of its policy, or an error in it, is a failure."""
    complaints = []
    with visiting(browser, complaints) as visit:

        def draw(server):
            page = visit(server.base_url)
            box = page.locator("#pad").bounding_box()
            page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.3 * box["height"])
            page.mouse.down()
            page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.7 * box["height"], steps=5)
            page.mouse.up()
            expect(page.locator("#alternatives li")).to_have_count(5)
            return page

        yield draw
    # The browser itself notes an answer of 501.
    assert [line for line in complaints if "501" not in line] == []


def way(page, name):
    return page.get_by_role("button", name=name)


def test_a_person_chooses_how_it_is_found_out_with_the_keyboard_alone(server, open_page):
    page = open_page(server)
    page.focus("#why")
    page.keyboard.press("Enter")
    group = page.get_by_role("group", name="Як це з’ясовано")
    expect(group).to_be_visible()
    expect(way(page, COVERED)).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Tab")
    expect(way(page, COVERED)).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(way(page, ASKED)).to_have_attribute("aria-pressed", "true")
    expect(way(page, COVERED)).to_have_attribute("aria-pressed", "false")
    # Who goes by keys stays where they are.
    expect(way(page, ASKED)).to_be_focused()
    upper, lower = page.evaluate(INK_BY_ROW)
    assert lower > upper > 0, "the model tells of its lower cells more than of its upper ones"
    page.click("#why")
    expect(group).to_be_hidden()
    # What was chosen is asked again.
    with page.expect_request("**/v1/explain?method=gradcam**"):
        page.click("#why")
    page.click("[data-language=en]")
    expect(way(page, "The network’s gaze")).to_be_visible()


def test_there_is_no_choice_where_the_model_has_none(serve, registry, open_page):
    with serve(tracking_uri=registry, model_name="bukva-fragile") as server:
        server.wait_until_ready()
        page = open_page(server)
        page.click("#why")
        expect(page.locator("#reasons")).to_be_visible()
        expect(page.locator("#view")).to_be_visible()
        expect(page.locator("#methods")).to_be_hidden()


def test_a_model_that_can_no_longer_be_asked_so_is_asked_as_usual(server, open_page):
    page = open_page(server)
    page.click("#why")
    problem = {"status": 501, "json": {"code": "method_unavailable"}}
    page.route("**/v1/explain?method=gradcam**", lambda route: route.fulfill(**problem))
    way(page, ASKED).click()
    expect(page.locator("#summary")).to_contain_text("Ця модель такої карти не дає")
    page.focus("#pad")
    page.keyboard.press("Enter")
    expect(page.locator("#alternatives li")).to_have_count(5)
    with page.expect_request("**/v1/explain?method=occlusion**"):
        page.click("#why")
