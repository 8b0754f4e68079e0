"""Drawing on the page as a person does, in a real browser."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from notebook_lines import CAPITAL, GROUND
from playwright.sync_api import Page, expect

from bukva.tasks.glyph.strokes.alphabet import load_alphabet


@dataclass
class Sheet:
    """The page in a browser, and what it complained of."""

    page: Page
    complaints: list[str]

    def draw(self, *strokes: np.ndarray) -> None:
        """Draw strokes `(N, 2)` in shares of the sheet with the mouse."""
        box = self.page.locator("#pad").bounding_box()
        assert box is not None
        for stroke in strokes:
            points = [
                (box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke
            ]
            self.page.mouse.move(*points[0])
            self.page.mouse.down()
            for point in points[1:]:
                self.page.mouse.move(*point)
            self.page.mouse.up()

    def on_screen(self, points: np.ndarray) -> list[tuple[float, float]]:
        """Where points of the sheet are on the screen."""
        box = self.page.locator("#pad").bounding_box()
        assert box is not None
        return [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]

    def write(self, symbol: str) -> None:
        """Write a symbol between the lines."""
        self.draw(*strokes_of(symbol))

    def expect_symbol(self, symbol: str) -> None:
        expect(self.page.locator("#symbol")).to_have_text(symbol)

    def screenshot(self, folder: Path, name: str) -> None:
        self.page.screenshot(path=folder / f"{name}.png", full_page=True)


def strokes_of(symbol: str) -> list[np.ndarray]:
    """The strokes of a symbol of the stroke alphabet, in shares of the sheet."""
    alphabet = load_alphabet()
    frame, form = alphabet.frame, alphabet.forms[symbol][0]
    scale = (GROUND - CAPITAL) / (frame.cap_height - frame.baseline)
    points = np.concatenate(form.strokes)
    middle = (points[:, 0].min() + points[:, 0].max()) / 2
    return [
        np.column_stack([
            0.5 + scale * (stroke[:, 0] - middle),
            GROUND - scale * (stroke[:, 1] - frame.baseline),
        ])[:: 4 if len(stroke) > 8 else 1]
        for stroke in form.strokes
    ]  # fmt: skip
