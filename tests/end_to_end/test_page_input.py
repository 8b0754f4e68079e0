"""What reaches the sheet of the page: fingers, a pen beside a hand, pictures pasted and dropped."""

import base64
import io
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from drawing import Sheet, strokes_of
from PIL import Image
from playwright.sync_api import CDPSession, expect

from bukva.tasks.glyph.strokes.writing import draw_symbol

pytestmark = pytest.mark.timeout(900)

TOUCHED = {"viewport": {"width": 1000, "height": 800}, "has_touch": True}
HAND = np.array([[0.8, 0.9], [0.82, 0.93], [0.85, 0.95]])


class Fingers:
    """Touches as the system reports them."""

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet
        self._session: CDPSession = sheet.page.context.new_cdp_session(sheet.page)

    def _send(self, kind: str, points: Sequence[tuple[float, float]], **more: Any) -> None:
        places = [{"x": x, "y": y} for x, y in points]
        event = {"type": kind, "touchPoints": places, **more}
        self._session.send("Input.dispatchTouchEvent", event)

    def put_down(self, stroke: np.ndarray) -> None:
        first, *others = self._sheet.on_screen(stroke)
        self._send("touchStart", [first])
        for place in others:
            self._send("touchMove", [place])

    def lift(self) -> None:
        self._send("touchEnd", [])

    def cancel(self) -> None:
        self._send("touchCancel", [])

    def draw(self, stroke: np.ndarray) -> None:
        self.put_down(stroke)
        self.lift()


def write_with_pen(sheet: Sheet, strokes: Sequence[np.ndarray]) -> None:
    session = sheet.page.context.new_cdp_session(sheet.page)

    def send(kind: str, place: tuple[float, float], buttons: int) -> None:
        pen = {"pointerType": "pen", "button": "left", "buttons": buttons, "clickCount": 1}
        event = {"type": kind, "x": place[0], "y": place[1], **pen}
        session.send("Input.dispatchMouseEvent", event)

    for stroke in strokes:
        first, *others = sheet.on_screen(stroke)
        send("mousePressed", first, 1)
        for place in others:
            send("mouseMoved", place, 1)
        send("mouseReleased", others[-1], 0)


def count_strokes(sheet: Sheet) -> int:
    """How often can be undone until nothing is left?"""
    undo, count = sheet.page.locator("#undo"), 0
    while undo.is_enabled():
        undo.click()
        count += 1
    return count


def test_a_finger_draws_and_does_not_scroll(visit: Callable[..., Sheet]) -> None:
    sheet = visit(viewport={"width": 360, "height": 500}, has_touch=True, is_mobile=True)
    fingers = Fingers(sheet)
    for stroke in strokes_of("Т"):
        fingers.draw(stroke)
    sheet.expect_symbol("Т")
    assert sheet.page.evaluate("scrollY") == 0


def test_a_hand_that_touches_after_the_pen_draws_nothing(visit: Callable[..., Sheet]) -> None:
    sheet = visit(**TOUCHED)
    strokes = strokes_of("Т")
    write_with_pen(sheet, strokes)
    Fingers(sheet).draw(HAND)
    sheet.expect_symbol("Т")
    assert count_strokes(sheet) == len(strokes)


def test_a_hand_that_lay_there_before_the_pen_draws_nothing(visit: Callable[..., Sheet]) -> None:
    sheet, strokes = visit(**TOUCHED), strokes_of("Т")
    fingers = Fingers(sheet)
    fingers.put_down(HAND)
    write_with_pen(sheet, strokes)
    fingers.lift()
    sheet.expect_symbol("Т")
    assert count_strokes(sheet) == len(strokes)


def test_a_touch_that_the_device_takes_back_draws_nothing(visit: Callable[..., Sheet]) -> None:
    sheet = visit(**TOUCHED)
    fingers = Fingers(sheet)
    fingers.put_down(HAND)
    expect(sheet.page.locator("#undo")).to_be_enabled()
    fingers.cancel()
    expect(sheet.page.locator("#undo")).to_be_disabled()


def test_a_finger_draws_again_when_the_pen_has_been_away(visit: Callable[..., Sheet]) -> None:
    sheet, strokes = visit(**TOUCHED), strokes_of("Т")
    write_with_pen(sheet, strokes)
    sheet.page.keyboard.press("Delete")
    sheet.page.wait_for_timeout(2100)  # the hand is ignored for two seconds
    for stroke in strokes:
        Fingers(sheet).draw(stroke)
    sheet.expect_symbol("Т")


# A picture as the clipboard or a drag hands it over.
HAND_OVER = """([data, kind, place]) => {
  const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
  const files = new DataTransfer();
  files.items.add(new File([bytes], "letter.png", { type: "image/png" }));
  const options = { bubbles: true, cancelable: true };
  const events = {
    paste: () => new ClipboardEvent("paste", { ...options, clipboardData: files }),
    dragover: () => new DragEvent("dragover", { ...options, dataTransfer: files }),
    drop: () => new DragEvent("drop", { ...options, dataTransfer: files }),
  };
  return document.querySelector(place).dispatchEvent(events[kind]());
}"""


def hand_over(sheet: Sheet, picture: str, kind: str, place: str = "body") -> bool:
    """Let an event with a picture happen; return whether the browser may do with it as it does."""
    return bool(sheet.page.evaluate(HAND_OVER, [picture, kind, place]))


@pytest.fixture
def picture() -> str:
    stream = io.BytesIO()
    Image.fromarray(draw_symbol("Ю", np.random.default_rng(4))).save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode()


def test_a_pasted_picture_is_read(sheet: Sheet, picture: str) -> None:
    hand_over(sheet, picture, "paste")
    sheet.expect_symbol("Ю")
    expect(sheet.page.locator("#picture")).to_be_visible()


def test_a_picture_dropped_anywhere_is_read(sheet: Sheet, picture: str) -> None:
    pad = sheet.page.locator(".pad")
    assert not hand_over(sheet, picture, "dragover", "footer")
    expect(pad).to_have_class("pad dropping")
    assert not hand_over(sheet, picture, "drop", "footer"), "the browser would open the file"
    sheet.expect_symbol("Ю")
    expect(pad).to_have_class("pad")


def test_pasted_text_changes_nothing(sheet: Sheet) -> None:
    sheet.write("Т")
    sheet.expect_symbol("Т")
    sheet.page.evaluate("""() => {
      const clipboardData = new DataTransfer();
      clipboardData.setData("text/plain", "Ю");
      document.body.dispatchEvent(new ClipboardEvent("paste", { bubbles: true, clipboardData }));
    }""")
    sheet.expect_symbol("Т")
    expect(sheet.page.locator("#picture")).to_be_hidden()


def test_two_letters_are_told_from_a_scribble(sheet: Sheet) -> None:
    summary = sheet.page.locator("#summary")
    for middle in (0.25, 0.75):
        sheet.draw(*([middle - 0.25, 0] + stroke * [0.5, 1] for stroke in strokes_of("Н")))
    expect(summary).to_have_text("Це схоже на два символи: намалюйте один")
    sheet.page.click("[data-language=en]")
    expect(summary).to_have_text("This looks like two symbols: draw one")
