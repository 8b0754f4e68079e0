"""A real browser, its visitors, and what it complains of."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
SWITCHES = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
expect.set_options(timeout=20_000)  # how long the machine takes is not what is tested


@contextmanager
def run_browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("needs Chromium on the PATH: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield browser
        browser.close()


@contextmanager
def visiting(browser: Browser, complaints: list[str]) -> Iterator[Callable[..., Page]]:
    """Open addresses, each for a visitor of its own; complaints are noted, of the policy too."""
    contexts = []

    def open_page(address: str, **visitor: Any) -> Page:
        settings = {"locale": "uk-UA", "viewport": {"width": 1000, "height": 800}} | visitor
        contexts.append(browser.new_context(**settings))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: line.type == "error" and complaints.append(line.text))
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
