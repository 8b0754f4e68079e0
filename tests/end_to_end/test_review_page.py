"""The review in a real browser: decided by keys, taken back, gone on with after a restart."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import uvicorn
from playwright.sync_api import Page, expect
from serving_servers import free_port, wait_for
from stored_corrections import START, png

from bukva.cli.review import HOST, create_app
from bukva.datasets.feedback import DecisionsDataset
from bukva.tasks.glyph.strokes.writing import draw_symbol

GIVEN = ["Ґ", "о", "Щ", "7"]
READ = ["Г", "О", "Ш", "∅"]
IDS = [f"{place:032x}" for place in range(4)]


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    symbols = [np.asarray(draw_symbol(symbol, rng)) for symbol in GIVEN]
    alternatives = [
        [{"symbol": read, "probability": 0.94}, {"symbol": given, "probability": 0.04}]
        for given, read in zip(GIVEN, READ, strict=True)
    ]
    return pd.DataFrame(
        {
            "name": IDS,
            "given": GIVEN,
            "answer": ["Г", "О", None, "1"],
            "created": START.isoformat(),
            "reading": READ,
            "reading_probability": 0.94,
            "alternatives": [json.dumps(items) for items in alternatives],
            "image": [png(image) for image in symbols],
        }
    )


@pytest.fixture
def store(tmp_path: Path) -> DecisionsDataset:
    return DecisionsDataset(filepath=str(tmp_path / "decisions.json"))


@contextmanager
def run_review(table: pd.DataFrame, store: DecisionsDataset) -> Iterator[str]:
    """The review as the command starts it; gives its address."""
    port = free_port()
    app = create_app(table, store, "Оксана")
    server = uvicorn.Server(uvicorn.Config(app, host=HOST, port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_for(lambda: server.started)
    try:
        yield f"http://{HOST}:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=15)


def symbols_in(store: DecisionsDataset) -> dict[str, str | None]:
    return {name: decision.symbol for name, decision in store.load().items()}


def press(page: Page, key: str, progress: str) -> None:
    page.keyboard.press(key)
    expect(page.locator("#count")).to_have_text(progress)


def type_letter(page: Page, letter: str) -> None:
    """As with a Ukrainian keyboard, which Playwright's `press` does not have."""
    event = "key => document.body.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}))"
    page.evaluate(event, letter)


def test_drawings_are_decided_by_keys(
    table: pd.DataFrame, store: DecisionsDataset, open_page: Callable[..., Page], pictures: Path
) -> None:
    with run_review(table, store) as address:
        page = open_page(address)
        expect(page.locator("#given")).to_have_text("Ґ")
        expect(page.locator("#reading")).to_have_text("Г")
        drawn = page.locator("#drawing")
        assert drawn.evaluate("image => image.decode().then(() => image.naturalWidth)") > 50
        expect(page.locator("#alternatives li")).to_have_count(2)
        page.screenshot(path=pictures / "review.png", full_page=True)
        press(page, "Enter", "1 of 4")
        expect(page.locator("#given")).to_have_text("о")
        press(page, "Space", "2 of 4")
        press(page, "Backspace", "1 of 4")
        expect(page.locator("#given")).to_have_text("о")
        type_letter(page, "ю")
        expect(page.locator("#count")).to_have_text("2 of 4")
        press(page, "Delete", "3 of 4")
        expect(page.locator("#reading")).to_have_text("∅")
        page.keyboard.press("w")  # no symbol, so nothing
        press(page, "Space", "4 of 4")
        expect(page.locator("#state")).to_contain_text("All are reviewed")
        expect(page.locator("#desk")).to_be_hidden()
    decided = dict(zip(IDS, ["Ґ", "ю", None, None], strict=True))
    assert symbols_in(store) == decided
    assert {decision.reviewer for decision in store.load().values()} == {"Оксана"}


def test_the_review_goes_on_where_it_stopped(
    table: pd.DataFrame, store: DecisionsDataset, open_page: Callable[..., Page]
) -> None:
    with run_review(table, store) as address:
        page = open_page(address)
        expect(page.locator("#count")).to_have_text("0 of 4")
        page.click("#symbols button:text-is('Є')")
        expect(page.locator("#count")).to_have_text("1 of 4")
        page.click("#take")
        expect(page.locator("#count")).to_have_text("2 of 4")
        page.focus("#reject")
        press(page, "Enter", "3 of 4")
        press(page, "Backspace", "2 of 4")
    with run_review(table, store) as address:
        page = open_page(address)
        expect(page.locator("#count")).to_have_text("2 of 4")
        expect(page.locator("#given")).to_have_text("Щ")
        page.click("#undo")
        expect(page.locator("#given")).to_have_text("о")
        press(page, "Enter", "2 of 4")
    assert symbols_in(store) == {IDS[0]: "Є", IDS[1]: "о"}


def test_a_decision_that_cannot_be_stored_is_not_taken_for_one(
    table: pd.DataFrame, tmp_path: Path, open_page: Callable[..., Page], complaints: list[str]
) -> None:
    (tmp_path / "file").write_text("no folder")
    store = DecisionsDataset(filepath=str(tmp_path / "file" / "decisions.json"))
    with run_review(table, store) as address:
        page = open_page(address)
        expect(page.locator("#given")).to_have_text("Ґ")
        page.keyboard.press("Enter")
        expect(page.locator("#state")).to_contain_text("Nothing was stored")
        expect(page.locator("#given")).to_have_text("Ґ")
    assert any("500" in line for line in complaints)
    complaints.clear()
