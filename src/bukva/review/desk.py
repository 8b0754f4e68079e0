"""The drawings under review, and what was decided of them; each decision is stored at once."""

import json
import threading
from datetime import UTC, datetime
from typing import Any, Protocol

import pandas as pd
from pydantic import BaseModel, ConfigDict

from bukva.data.feedback.decisions import Decision, Decisions
from bukva.errors import RequestError


class DecisionStore(Protocol):
    """Where decisions are kept: `bukva.datasets.feedback.DecisionsDataset`."""

    def load(self) -> Decisions:
        """Return all decisions there are."""

    def save(self, data: Decisions) -> None:
        """Keep these decisions in place of all others; they last when it returns."""


class Alternative(BaseModel):
    """One symbol that the model takes into account."""

    symbol: str
    probability: float


class DrawingOnDesk(BaseModel):
    """One drawing: what the person said, what the model reads, what was decided."""

    model_config = ConfigDict(frozen=True)

    id: str
    given: str
    answer: str | None
    created: str
    reading: str
    reading_probability: float
    alternatives: list[Alternative]
    decision: Decision | None


class Desk:
    """The drawings that were set aside, for one reviewer.

    Args:
        review: The table `feedback_review`.
        store: Where decisions are kept; those of other drawings stay in it.
        reviewer: Whose name decisions bear.
    """

    def __init__(self, review: pd.DataFrame, store: DecisionStore, reviewer: str) -> None:
        rows = review.to_dict(orient="records")
        self._rows: dict[str, Any] = {row["name"]: row for row in rows}
        self._store = store
        self._reviewer = reviewer
        self._lock = threading.Lock()

    def drawings(self) -> list[DrawingOnDesk]:
        """Return all drawings in the order of the table, decided or not."""
        decisions = self._store.load()
        return [_describe(row, decisions.get(name)) for name, row in self._rows.items()]

    def image(self, name: str) -> bytes:
        """Return the PNG file of a drawing.

        Raises:
            RequestError: `unknown_feedback` if there is none of this id.
        """
        image: bytes = self._row(name)["image"]
        return image

    def decide(self, name: str, symbol: str | None) -> Decision:
        """Store what a drawing shows, None if nothing is to be learnt from it.

        Raises:
            RequestError: `unknown_feedback` if there is no drawing of this id.
        """
        self._row(name)
        decision = Decision(symbol=symbol, reviewer=self._reviewer, decided=datetime.now(UTC))
        with self._lock:
            self._store.save({**self._store.load(), name: decision})
        return decision

    def take_back(self, name: str) -> None:
        """Forget what was decided of a drawing.

        Raises:
            RequestError: `unknown_feedback` if there is no drawing of this id.
        """
        self._row(name)
        with self._lock:
            decisions = self._store.load()
            if decisions.pop(name, None):
                self._store.save(decisions)

    def _row(self, name: str) -> Any:
        try:
            return self._rows[name]
        except KeyError:
            raise RequestError("unknown_feedback", "It is not among those to review.") from None


def _describe(row: Any, decision: Decision | None) -> DrawingOnDesk:
    return DrawingOnDesk(
        id=row["name"],
        given=row["given"],
        answer=None if pd.isna(row["answer"]) else row["answer"],
        created=row["created"],
        reading=row["reading"],
        reading_probability=row["reading_probability"],
        alternatives=json.loads(row["alternatives"]),
        decision=decision,
    )
