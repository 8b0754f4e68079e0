"""The page about documents in a real browser, before the service with the released models."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browsing import visiting
from playwright.sync_api import Browser, Page, expect
from released_service import register_released as register_letters
from serving_servers import Server, run_process, wait_for

from mixed_load import draw_page, register_released

pytestmark = pytest.mark.timeout(900)
LABELS = {"handwritten": "Рукопис", "printed": "Друк", "mixed": "І рукопис, і друк"}


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The service with both released models."""
    folder = tmp_path_factory.mktemp("released_models")
    uri = register_letters(folder)
    register_released(uri, folder)
    with run_process(
        BUKVA_TRACKING_URI=uri,
        BUKVA_FEEDBACK_FOLDER=str(folder / "feedback"),
        BUKVA_DOCUMENT_DEADLINE_S="120",
    ) as server:
        server.wait_until_ready(timeout_s=600)
        wait_for(lambda: server.answers("/v2/models/bukva-document/ready"), timeout_s=600)
        yield server


@pytest.fixture
def open_documents(readers: Server, browser: Browser) -> Iterator[Callable[..., Page]]:
    complaints: list[str] = []
    with visiting(browser, complaints) as visit:
        yield lambda **visitor: visit(f"{readers.base_url}/documents", **visitor)
    assert not complaints


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
