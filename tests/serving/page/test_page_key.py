"""The page in a real browser, before a service that asks for a key."""

import pytest
from browsing import run_browser, visiting
from playwright.sync_api import expect
from serving_servers import run_process

from bukva.serving.access import hash_key, make_key

KEY = make_key()
NEEDED = "Цей сервіс відповідає лише тим, хто має ключ доступу."


@pytest.fixture(scope="module")
def guarded(registry):
    with run_process(
        BUKVA_TRACKING_URI=registry,
        BUKVA_MODEL_NAME="bukva-ink",
        BUKVA_API_KEY_HASHES=hash_key(KEY),
    ) as server:
        server.wait_until_ready()
        yield server


@pytest.fixture
def page(guarded):
    """The page; a violation of its policy, or an error in it, fails the test."""
    complaints = []
    with run_browser() as browser, visiting(browser, complaints) as open_page:
        yield open_page(guarded.base_url)
    # The browser itself notes each 401.
    assert [line for line in complaints if "401" not in line] == []


def draw(page):
    box = page.locator("#pad").bounding_box()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.3 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.7 * box["height"], steps=5)
    page.mouse.up()


def enter(page, key):
    page.fill("#key", key)
    page.keyboard.press("Enter")


def test_the_page_asks_for_a_key_and_keeps_it_for_the_visit(page):
    form, summary = page.locator("#key-form"), page.locator("#summary")
    expect(form).to_be_hidden()
    draw(page)
    expect(summary).to_have_text(NEEDED)
    page.focus("#key")
    page.keyboard.type("wrong")
    page.keyboard.press("Delete")  # within the field it clears no drawing
    with page.expect_response("**/v1/predict?**") as answered:
        page.keyboard.press("Enter")
    assert answered.value.status == 401
    expect(page.locator("#key")).to_have_value("")
    expect(summary).to_have_text(NEEDED)
    enter(page, f" {KEY} ")
    expect(page.locator("#alternatives li")).to_have_count(5)
    expect(form).to_be_hidden()
    page.reload()
    draw(page)
    expect(page.locator("#alternatives li")).to_have_count(5)
    assert page.evaluate("Object.values(localStorage)").count(KEY) == 0
    assert page.evaluate("Object.values(sessionStorage)") == [KEY]


def test_what_can_be_no_key_is_not_taken(page):
    draw(page)
    enter(page, "ключ")
    assert page.evaluate("document.querySelector('#key').validity.patternMismatch")
    assert page.evaluate("sessionStorage.length") == 0
    expect(page.locator("#key-form")).to_be_visible()
