"""The page about documents in a real browser, before the service with the released models."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from serving_servers import Server, wait_for

from mixed_load import draw_page

pytestmark = pytest.mark.timeout(900)
LABELS = {"handwritten": "Рукопис", "printed": "Друк", "mixed": "І рукопис, і друк"}


@pytest.fixture
def open_documents(service: Server, open_page: Callable[..., Page]) -> Callable[..., Page]:
    """Open the page, once there is a model of documents."""
    wait_for(lambda: service.answers("/v2/models/bukva-document/ready"), timeout_s=600)
    return lambda **visitor: open_page(f"{service.base_url}/documents", **visitor)


def choose(page: Page, seed: int, kind: str) -> None:
    picture = {"name": "page.png", "mimeType": "image/png", "buffer": draw_page(seed, kind)}
    page.set_input_files("#file", picture)
    page.locator("#picture").evaluate("picture => picture.decode()")


@pytest.mark.parametrize("kind", LABELS)
def test_a_page_is_told_and_coloured(
    open_documents: Callable[..., Page], pictures: Path, kind: str
) -> None:
    page = open_documents(viewport={"width": 1200, "height": 1100})
    choose(page, 3, kind)
    expect(page.locator("#label")).to_have_text(LABELS[kind])
    expect(page.locator("[data-view=grad_cam]")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#colours")).to_be_visible()
    page.locator("#picture").evaluate("picture => picture.decode()")
    page.screenshot(path=pictures / f"documents_{kind}.png")


def test_a_telephone_in_the_dark(open_documents: Callable[..., Page], pictures: Path) -> None:
    page = open_documents(
        viewport={"width": 320, "height": 700}, color_scheme="dark", locale="en-GB"
    )
    choose(page, 3, "mixed")
    expect(page.locator("#colours")).to_be_visible()
    page.locator("#picture").evaluate("picture => picture.decode()")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.screenshot(path=pictures / "documents_320px.png", full_page=True)


def test_covering_parts_is_another_way(open_documents: Callable[..., Page]) -> None:
    page = open_documents()
    choose(page, 3, "mixed")
    expect(page.locator("#colours")).to_be_visible()
    former = page.locator("#picture").get_attribute("src")
    page.click("[data-view=occlusion]")
    expect(page.locator("#picture")).not_to_have_attribute("src", str(former), timeout=120_000)
    expect(page.locator("[data-view=occlusion]")).to_have_attribute("aria-pressed", "true")
