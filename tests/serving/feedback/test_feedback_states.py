"""Corrections given, deleted, delivered and interrupted in any order end up where they belong."""

import tempfile
from pathlib import Path

import pytest
from feedback_requests import correction
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from serving_requests import draw, encode

from bukva.errors import RequestError
from bukva.serving.feedback import FeedbackStore, FeedbackUploader
from bukva.serving.feedback_files import FolderTarget, read_correction
from bukva.serving.metrics import Metrics
from bukva.serving.schemas import FeedbackRequest

IMAGE = encode(draw(side_px=8, pen_px=2))
KEYS = st.sampled_from(["key-one", "key-two"])
SYMBOLS = st.sampled_from("ҐЇ")


class TroubledTarget(FolderTarget):
    """A folder that does what is asked, and while it does so something else may happen."""

    meanwhile = None

    def create(self, correction):
        is_new = super().create(correction)
        if self.meanwhile:
            happening, self.meanwhile = self.meanwhile, None
            happening()
        return is_new


def lose_the_answer():
    raise TimeoutError("the answer was lost")


class Feedback(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.scratch = tempfile.TemporaryDirectory()
        self.folder = Path(self.scratch.name) / "spool"
        self.target = TroubledTarget(self.folder.with_name("far"))
        self.symbols = {}  # what must be there in the end: id -> symbol
        self.ids = {}
        self.start()

    @rule()
    def start(self):
        self.store = FeedbackStore(self.folder, 99, is_delivered=True)
        self.uploader = FeedbackUploader(self.store, "unused", 1, Metrics())

    @rule(key=KEYS, symbol=SYMBOLS)
    def give(self, key, symbol):
        if self.symbols.get(self.ids.get(key), symbol) == symbol:
            self.ids[key] = self.keep(key, symbol)
            self.symbols[self.ids[key]] = symbol
        else:
            with pytest.raises(RequestError, match="Idempotency-Key"):
                self.keep(key, symbol)

    def keep(self, key, symbol):
        return self.store.keep(key, FeedbackRequest(**correction(symbol)), IMAGE, None)

    @rule(key=KEYS)
    def delete(self, key):
        name = self.ids.get(key, "0" * 32)
        if self.symbols.pop(name, None):
            self.store.delete(name)
        else:
            with pytest.raises(RequestError, match="deleted before"):
                self.store.delete(name)

    @rule()
    def deliver(self, meanwhile=None):
        self.target.meanwhile = meanwhile
        self.uploader._deliver_all(self.target)

    @rule()
    def deliver_and_lose_the_answer(self):
        try:
            self.deliver(meanwhile=lose_the_answer)
        except TimeoutError:
            self.start()

    @rule(key=KEYS, changes=st.lists(st.one_of(st.none(), SYMBOLS), min_size=1, max_size=4))
    def deliver_and_change_meanwhile(self, key, changes):
        def change_mind():
            for symbol in changes:
                if symbol is None:
                    self.delete(key)
                else:
                    self.give(key, symbol)

        self.deliver(meanwhile=change_mind)

    def teardown(self):
        for _ in range(2):  # what takes the place of a deleted one goes after it
            self.deliver()
        far = self.folder.with_name("far")
        there = [read_correction(path) for path in far.rglob("*.json")]
        assert {record.id: record.symbol for record in there} == self.symbols
        assert len(there) == len(self.symbols)
        for state in ("", "dead", "deleted"):
            assert not [*(self.folder / state).glob("*.json")]
        self.scratch.cleanup()


Feedback.TestCase.settings = settings(
    max_examples=60, stateful_step_count=12, deadline=None, derandomize=True
)
test_in_any_order_what_is_given_is_delivered_and_what_is_deleted_is_not = Feedback.TestCase
