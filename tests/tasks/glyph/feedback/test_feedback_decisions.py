from datetime import UTC, datetime

import pytest

from bukva.errors import CorrectionError
from bukva.tasks.glyph.feedback.decisions import Decision, parse_decisions, write_decisions

NOW = datetime(2026, 11, 2, 10, 30, tzinfo=UTC)
DECISIONS = {
    "b" * 32: Decision(symbol="Ґ", reviewer="Оксана", decided=NOW),
    "a" * 32: Decision(symbol=None, reviewer="Оксана", decided=NOW),
}


def test_decisions_are_read_as_they_were_written() -> None:
    content = write_decisions(DECISIONS)
    assert parse_decisions(content) == DECISIONS
    assert content.index(b"a" * 32) < content.index(b"b" * 32), "the order is that of the ids"
    assert "Оксана" in content.decode()


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "JSON"),
        (b"[]", "object"),
        (b'{"a": {"symbol": "\xd0\xab", "reviewer": "x", "decided": "2026-11-02T10:30Z"}}', "76"),
        (b'{"a": {"symbol": null, "reviewer": "", "decided": "2026-11-02T10:30Z"}}', "a.reviewer"),
        (b'{"a": {"symbol": null, "reviewer": "x"}}', "a.decided"),
    ],
)
def test_a_broken_file_is_refused_with_its_faults(content: bytes, fault: str) -> None:
    with pytest.raises(CorrectionError, match=fault):
        parse_decisions(content)
