"""Visitors of the page, before the service with the released model."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import run_browser, visiting
from drawing import Sheet
from playwright.sync_api import Browser, Page, expect
from released_service import run_released
from serving_servers import Server


@pytest.fixture(scope="session")
def released_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where `released_server` keeps its registry and, in `feedback`, corrections."""
    return tmp_path_factory.mktemp("released_service")


@pytest.fixture(scope="session")
def released_server(released_folder: Path) -> Iterator[Server]:
    """The service with the released model; it waits one second for what is slow to come."""
    patience = {"BUKVA_HEADER_TIMEOUT_S": "1", "BUKVA_BODY_TIMEOUT_S": "1"}
    with run_released(released_folder, **patience) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with run_browser() as browser:
        yield browser


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complained of."""
    return []


@pytest.fixture
def open_page(browser: Browser, complaints: list[str]) -> Iterator[Callable[..., Page]]:
    """Open an address for a visitor; whatever the browser complains of fails the test."""
    with visiting(browser, complaints) as open_address:
        yield open_address
    assert not complaints


@pytest.fixture(scope="module")
def service(released_server: Server) -> Server:
    """What the page is visited at."""
    return released_server


@pytest.fixture
def visit(
    service: Server, open_page: Callable[..., Page], complaints: list[str]
) -> Callable[..., Sheet]:
    """Open the page to draw on for a visitor."""

    def open_sheet(**visitor: Any) -> Sheet:
        page = open_page(service.base_url, **visitor)
        expect(page.locator("#model")).not_to_be_empty()
        return Sheet(page, complaints)

    return open_sheet


@pytest.fixture
def sheet(visit: Callable[..., Sheet]) -> Sheet:
    return visit()


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go: a folder that BUKVA_SCREENSHOTS names, or one that is thrown away."""
    folder = os.environ.get("BUKVA_SCREENSHOTS")
    return Path(folder) if folder else tmp_path_factory.mktemp("screenshots")
